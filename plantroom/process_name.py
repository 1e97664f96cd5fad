"""What this process is called where several share something: as holder of a lease, and as a client of PostgreSQL."""

import os
import socket
import uuid
from functools import cache


@cache
def process_name() -> str:
    """Tells this process from every other one; at most 63 characters, as PostgreSQL keeps of a client's name."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
