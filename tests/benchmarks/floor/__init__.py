"""The least that the API's requests can cost: bare views behind the same middleware and token check, with SQL."""
