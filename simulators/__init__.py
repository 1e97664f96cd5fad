"""Plant models with faults on command. They speak MQTT only and know nothing of rules."""
