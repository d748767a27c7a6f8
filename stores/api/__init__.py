"""What all apps' REST API is made of (design, section 6): ids, JSON, errors, lists, sign-in, streams."""
