"""What every carrier of requests agrees on, and the one without a wire."""
