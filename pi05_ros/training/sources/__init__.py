"""Sources of training samples, and the mixture that is drawn from them."""
