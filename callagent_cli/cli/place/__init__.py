"""The folder a campaign is worked in, what is stored there, and the worker that may live there."""
