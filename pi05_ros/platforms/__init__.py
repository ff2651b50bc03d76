"""The robot as data: joints, vector layout, cameras, controllers, limits."""
