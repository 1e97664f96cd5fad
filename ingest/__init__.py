"""From an MQTT message to a durable reading: dialects, quality, journal, stores."""
