"""The twins of the language models, in both dialects."""
