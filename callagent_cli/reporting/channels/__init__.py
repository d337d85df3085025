"""The ways to reach a person, one file each, and the pretended form of all of them."""
