"""How soon an asset's page with 30 days at one minute is drawn in chromium: `python -m bench drawn [TIMES]`.

The application of `bench pages` on loopback, a page of 1440 by 900 points without a cache. From the beginning of the
navigation to its load event with every plot painted (two frames later). Asked for is a second.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.live_bench import serve
from bench.pages_bench import TOKEN
from dashboards.web.change_feed import ChangeFeed

PAINTED = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(
    [performance.now(), performance.getEntriesByType("navigation")[0].responseEnd,
     document.querySelectorAll("svg.plot").length]))))"""


def main() -> None:
    """Open it so often, and print."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    feed = ChangeFeed()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        server, port = serve(Path(folder), feed)
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = engine.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        found = []
        for _ in range(times):
            context = browser.new_context(
                viewport={"width": 1440, "height": 900}, extra_http_headers={"Authorization": f"Bearer {TOKEN}"}
            )
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/assets/z0-0?span=30d")
            found.append(tuple(page.evaluate(PAINTED)))
            context.close()
        browser.close()
        feed.close()
        server.should_exit = True
    found.sort()
    whole, answered, plots = found[len(found) // 2]
    print(f"{plots} plots of 30 days drawn in {whole:.0f} ms (median of {times}; slowest {found[-1][0]:.0f} ms), "
          f"of which {answered:.0f} ms until the page has come")  # fmt: skip


if __name__ == "__main__":
    main()
