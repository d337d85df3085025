"""The live screen: beside a worker, attached to one, or as a picture."""
