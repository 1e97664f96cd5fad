"""Serve the pages over the made-up building on loopback: `python -m preview [port]`.

Sign in with the token `preview`.
"""

import sys

import uvicorn
from fastapi import FastAPI
from preview.plant import PreviewDoor, PreviewPlant

from dashboards.web.router import web_router
from facility.clock import RealClock


def main() -> None:
    """Serve until interrupted."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(web_router(PreviewPlant(RealClock().now()), PreviewDoor()))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8099)


if __name__ == "__main__":
    main()
