"""The demo deal: a broadly syndicated US CLO of 2024 that a seeded generator invents. Nobody in it exists."""
