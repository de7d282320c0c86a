"""Training objectives, one file each, with the same five names: loss, gradient, loss_gradient, predict, step."""
