"""What happens inside a network: gates, states and gradients."""
