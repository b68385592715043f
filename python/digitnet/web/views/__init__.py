"""From requests to services and back."""
