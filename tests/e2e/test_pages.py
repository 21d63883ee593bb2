"""The embedded catalog's pages in a real browser."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from daemon.localcatalog.folder import open_catalog
from tests.fakes.filled_catalog import START, Given, add, add_many, link, logged_in, png, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="needs Chromium and its driver (Debian: apt-get install chromium chromium-driver)",
    ),
]
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
METADATA = {
    "app": {"name": "hip_microscope"},
    "hardware": {"source": {"settings": {"bias": {"value": 1.5, "unit": "V"}, "shifts": list(range(500))}}},
    "table": {"rows": 900, "columns": [{"name": "Raman shift", "unit": "1/cm", "min": 200, "max": 3200}]},
    "datasets": {"/measurement/spec_map": {"shape": [1, 96, 96], "dtype": "float64", "unit": "counts"}},
    "labferry": {"ingestor": "scopefoundry", "ingestor_version": "1", "warnings": ["The scan was interrupted."]},
}
HOSTILE = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
ODD_NAME = 'Größe "µ"; ../a\n<b>.html'


def _is_gone(element: WebElement) -> bool:
    """Whether the element's page was left; the driver says so with one error or another."""
    try:
        element.is_enabled()
    except WebDriverException:
        return True
    return False


class Browser:
    """A browser and the catalog that it looks at."""

    def __init__(self, driver: webdriver.Chrome, address: str, ids: dict[str, str], downloads: Path) -> None:
        self.driver, self.address, self.ids, self.downloads = driver, address, ids, downloads

    def open(self, path: str, *, width: int = 1280, dark: bool = False) -> None:
        """Go to a page, in a window of this width."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.get(self.address + path)

    def follow(self, action: Callable[[], object]) -> None:
        """Do what leads to another page, and wait until that page is there."""
        leaving = self.one("html")
        action()
        self.wait(lambda: _is_gone(leaving))

    def all(self, css: str) -> list[WebElement]:
        """Every element that a selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        """The first element that a selector finds."""
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        """The texts that a selector finds."""
        return [element.text for element in self.all(css)]

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression (the test's; the pages have none)."""
        return self.driver.execute_script(f"return {script}")

    def wait(self, condition: Any) -> None:
        """Wait until the condition holds, five seconds at most."""
        WebDriverWait(self.driver, 5, poll_frequency=0.02).until(lambda _: condition())

    def complaints(self) -> list[str]:
        """What the browser wrote to its console: violated policies, missing pictures, errors."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A logged-in browser before a catalog with a session, a hostile dataset and enough others to turn pages."""
    catalog = open_catalog(tmp_path_factory.mktemp("catalog"))
    downloads = tmp_path_factory.mktemp("downloads")
    add_many(catalog, 120)
    newest = START + 10_000_000
    map_ = Given(
        "261119_141503_hyperspec_picam_mcl",
        "Raman map",
        "HIP Microscope",
        "MoS2 flakes",
        "2026-11-19T14:15:03-08:00",
        "h5",
        METADATA,
        ["Raman", "532 nm"],
        [("Spectral_map.png", png(400, 300)), ("Spectrum.png", png(400, 200, 200))],
        [("261119_141503_hyperspec_picam_mcl.h5", b"\x89HDF" * 400)],
        newest,
    )
    hostile = Given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "h5", {HOSTILE: {"b": [HOSTILE]}}, [HOSTILE],
                    [(HOSTILE, b"<svg xmlns='http://www.w3.org/2000/svg' onload='document.title=1'/>")],
                    [(ODD_NAME, b"<script>document.title='pwned'</script>")], newest - 10)  # fmt: skip
    ids = {"map": add(catalog, map_), "hostile": add(catalog, hostile)}
    ids["parent"] = add(catalog, Given("MoS2 flakes", "Session", None, "MoS2 flakes", seconds=newest - 20))
    link(catalog, ids["parent"], ids["map"])
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    with served(catalog) as address:
        driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
        try:
            driver.get(logged_in(catalog, address))
            yield Browser(driver, address, ids, downloads)
        finally:
            driver.quit()
    catalog.close()


def test_the_grid_shows_the_newest_datasets_with_their_pictures(browser: Browser) -> None:
    """The first page begins with the newest dataset: name, measurement, instrument, time, session, picture."""
    browser.open("/")
    card = browser.one(".card")
    browser.wait(lambda: browser.run("document.querySelector('.card img').naturalWidth") == 400)
    assert card.text.splitlines()[:4] == [
        "261119_141503_hyperspec_picam_mcl",
        "Raman map",
        "HIP Microscope",
        "19 Nov 2026, 14:15:03 UTC\N{MINUS SIGN}8",
    ]
    assert browser.one(".card .session a").text.splitlines()[-1] == "MoS2 flakes"
    assert len(browser.all(".card")) == 48


def test_every_dataset_is_on_one_page_of_the_list(browser: Browser) -> None:
    """Going to older datasets and back shows each dataset once and the same pages again."""
    browser.open("/")
    pages = [browser.texts(".card h2")]
    while browser.all("a[rel=next]"):
        browser.follow(browser.one("a[rel=next]").click)
        pages.append(browser.texts(".card h2"))
    names = [name for page in pages for name in page]
    assert len(names) == len(set(names)) == 123
    for expected in reversed(pages[:-1]):
        browser.follow(browser.one("a[rel=prev]").click)
        assert browser.texts(".card h2") == expected
    assert not browser.all("a[rel=prev]")


def test_a_dataset_can_be_read_and_understood(browser: Browser) -> None:
    """A dataset's page has its pictures, attributes, columns, units, files with hashes, links and warnings."""
    browser.open(f"/datasets/{browser.ids['map']}")
    text = browser.one("main").text
    for expected in (
        "Raman map", "HIP Microscope", "UTC\N{MINUS SIGN}8", browser.ids["map"], "scopefoundry 1", "1.60 kB",
        "The scan was interrupted.", "Raman shift", "/measurement/spec_map", "500 values", "532 nm", "Spectral map",
    ):  # fmt: skip
        assert expected.replace(" kB", "\N{NARROW NO-BREAK SPACE}kB") in text
    assert browser.one(".leaf .unit").text == "V"
    assert not browser.one("code.whole").is_displayed()
    browser.one(".hash summary").click()
    assert len(browser.one("code.whole").text) == 64
    browser.follow(browser.one(".links a").click)
    assert browser.one("h1").text == "MoS2 flakes"


def test_search_finds_what_stands_in_names_and_metadata(browser: Browser) -> None:
    """A word typed into the search box of any page finds the datasets whose metadata has it, and can be removed."""
    browser.open(f"/datasets/{browser.ids['parent']}")
    browser.follow(lambda: browser.one("input[name=q]").send_keys("hip_micro", Keys.ENTER))
    assert browser.texts(".card h2") == ["261119_141503_hyperspec_picam_mcl"]
    assert browser.one("input[name=q]").get_attribute("value") == "hip_micro"
    browser.follow(browser.one(".chips a").click)
    assert len(browser.all(".card")) == 48


def test_filters_narrow_the_list_together(browser: Browser) -> None:
    """Measurement and instrument chosen in the form both hold, are shown, and stay chosen; a session keeps its name."""
    browser.open("/")
    Select(browser.one("select[name=measurement]")).select_by_visible_text("Measurement 3")
    Select(browser.one("select[name=instrument]")).select_by_visible_text("Instrument D")
    browser.follow(browser.one("fieldset button").click)
    assert browser.texts(".chip-value") == ["Measurement 3", "Instrument D"]
    assert set(browser.texts(".card .measurement")) == {"Measurement 3"}
    assert len(browser.all(".card")) == 12
    browser.follow(browser.one(".chips a").click)
    assert len(browser.all(".card")) == 24
    browser.open("/?session=MoS2+flakes")
    assert browser.one("h1").text == "MoS2 flakes"
    assert "2 datasets" in browser.one(".lead").text


def test_a_search_without_a_hit_says_so(browser: Browser) -> None:
    """A list without datasets says that nothing matches and leads back to all of them."""
    browser.open("/?q=nonsense&measurement=none+of+these")
    assert browser.one(".empty h2").text == "Nothing matches"
    browser.follow(browser.one(".empty a").click)
    assert browser.all(".card")


def test_sessions_show_how_much_they_hold(browser: Browser) -> None:
    """Sessions are listed newest first with count, time, instruments and pictures, and lead to their datasets."""
    browser.open("/sessions")
    assert browser.texts(".sessions h2")[0] == "MoS2 flakes"
    first = browser.one(".sessions li .text").text
    assert "2 datasets" in first
    assert "HIP Microscope" in first
    assert "19 Nov 2026, 14:15 UTC\N{MINUS SIGN}8" in first
    assert len(browser.all(".sessions > li:first-child .strip a")) == 2
    browser.follow(browser.one(".sessions h2 a").click)
    assert len(browser.all(".card")) == 2


@pytest.mark.parametrize("width", [360, 320])
def test_nothing_is_cut_on_a_phone(browser: Browser, width: int) -> None:
    """On a narrow screen no page scrolls sideways, hostile names included."""
    pages = ["/", "/sessions", "/?q=zzz", "/nowhere", *(f"/datasets/{found}" for found in browser.ids.values())]
    for page in pages:
        browser.open(page, width=width)
        assert browser.run("document.documentElement.scrollWidth") <= width, page
    browser.complaints()


def test_the_pages_can_be_used_by_keyboard(browser: Browser) -> None:
    """Tab leads first to the skip link and on through everything, each time with a focus that can be seen."""
    browser.open("/")
    body = browser.one("body")
    body.send_keys(Keys.TAB)
    skip = browser.driver.switch_to.active_element
    assert skip.text == "Skip to the content"
    seen = set()
    for _ in range(14):
        focused = browser.driver.switch_to.active_element
        seen.add(focused.get_attribute("name") or focused.text)
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        card = "document.activeElement.matches('.card h2 a') && getComputedStyle(document.activeElement.closest('.card')).outlineStyle"
        assert "solid" in {browser.run(ring), browser.run(card)}, focused.get_attribute("outerHTML")
        focused.send_keys(Keys.TAB)
    assert {"Datasets", "Sessions", "q", "session", "measurement", "instrument", "Show"} <= seen
    browser.open("/")
    browser.one("body").send_keys(Keys.TAB, Keys.ENTER)
    browser.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.driver.switch_to.active_element.get_attribute("name") == "session"


def test_everything_that_can_be_used_has_a_name(browser: Browser) -> None:
    """Each link, button and field has a name that a screen reader can say, and there is one main heading."""
    for page in ("/", "/sessions", f"/datasets/{browser.ids['map']}"):
        browser.open(page)
        for element in browser.all("a, button, input:not([type=hidden]), select, summary"):
            assert element.accessible_name.strip(), element.get_attribute("outerHTML")
        assert len(browser.all("h1")) == 1
        assert len(browser.all("main, header.top, footer, nav[aria-label=Main]")) == 4


def test_dark_rooms_get_dark_pages(browser: Browser) -> None:
    """The pages follow the colour scheme that the person's system prefers, with enough contrast in both."""
    for dark in (False, True):
        browser.open(f"/datasets/{browser.ids['map']}", dark=dark)
        ground, ink = (browser.run(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
        assert (luminance(ground) < 0.05) == dark
        for css in ("body", "h1", ".lead", ".zone", ".unit", "main a", ".note", ".count", ".source"):
            if browser.all(css):
                shown = browser.run(f"getComputedStyle(document.querySelector('{css}')).color")
                assert contrast(shown, ground) >= 4.5, (css, shown, ink)


def test_hostile_names_do_nothing(browser: Browser) -> None:
    """A dataset whose every text is a script is shown as text, and its picture, which is a program, is not shown."""
    browser.complaints()
    for page in ("/", "/sessions", f"/datasets/{browser.ids['hostile']}", f"/datasets/{browser.ids['parent']}"):
        browser.open(page)
        assert "pwned" not in browser.driver.title.removeprefix(HOSTILE)
        assert not browser.all("main script, main img[onerror]")
    browser.open(f"/datasets/{browser.ids['hostile']}")
    assert browser.one("h1").text == HOSTILE
    messages = browser.complaints()
    assert all("/thumbnails/" in message for message in messages), messages


def test_the_pages_give_the_browser_nothing_to_complain_about(browser: Browser) -> None:
    """No page breaks its own content security policy or names a picture that is not there."""
    browser.complaints()
    for page in ("/?q=raman", "/sessions?before=zz", f"/datasets/{browser.ids['map']}", "/?session=none"):
        browser.open(page)
    browser.open(f"/datasets/{browser.ids['map']}/record.json")
    assert [message for message in browser.complaints() if "/thumbnails/" not in message] == []


def test_a_file_is_downloaded_under_its_name(browser: Browser) -> None:
    """The button saves the file's own bytes under the file's own name."""
    browser.open(f"/datasets/{browser.ids['map']}")
    browser.one("a[download]").click()
    saved = browser.downloads / "261119_141503_hyperspec_picam_mcl.h5"
    browser.wait(saved.exists)
    assert saved.read_bytes() == b"\x89HDF" * 400


def test_a_stored_page_is_saved_and_never_shown(browser: Browser) -> None:
    """An HTML file with a hostile name is downloaded into the folder even when its address is opened directly."""
    browser.open(f"/datasets/{browser.ids['hostile']}")
    address = browser.one("a[download]").get_attribute("href")
    title = browser.driver.title
    assert address is not None
    browser.run(f"void (location.href = '{address}')")
    browser.wait(lambda: [path for path in browser.downloads.glob("*.html") if path.stat().st_size])
    assert browser.driver.title == title
    (saved,) = browser.downloads.glob("*.html")
    assert saved.read_bytes() == b"<script>document.title='pwned'</script>"
    assert saved.name.startswith("Größe")


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    parts = [float(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
