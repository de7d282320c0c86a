"""The functions under every loss, and their derivatives."""
