"""``python -m epspot.whatif``: a site's past under other conditions."""
