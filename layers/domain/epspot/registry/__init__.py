"""What is written down beside sites: owners, who may do what, and what was changed."""
