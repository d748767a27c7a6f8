"""How two states of one record become one: rules with names. Pure; nothing here knows a database."""
