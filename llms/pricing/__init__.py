"""What a call costs: disjoint token counts, prices, and big-AGI's formula, exactly."""
