"""The parts shared by the REST API of all apps (design, section 6): ids, JSON, errors, lists, sign-in, streams."""
