"""Files in, clean contacts and exact rejections out."""
