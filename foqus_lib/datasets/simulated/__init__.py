"""The generator: sets like the published ones, from nothing but a seed."""
