"""The report as one HTML file: whole, valid, and inert whatever values say."""

import json
import re

from flowweaver import Workflow, task
from flowweaver.report.page import embedded, report_page
from tests.report.viewing import seen

HOSTILE = '</script><img src=x onerror="alert(1)"><!--'


def test_page_holds_the_view_as_json():
    view = seen()
    found = re.search(
        r'<script type="application/json" id="view">(.*?)</script>', report_page(view)
    )
    assert json.loads(found[1]) == json.loads(json.dumps(view))


def test_hostile_names_and_results_stay_text():
    @task(name=HOSTILE)
    def hostile():
        print(HOSTILE)
        raise ValueError(HOSTILE)

    page = report_page(seen(workflow=Workflow(HOSTILE, [hostile])))
    assert "<img" not in page
    assert page.count("</script>") == 3
    assert "&lt;img" in page  # in the title


def test_policy_allows_only_what_is_in_the_page():
    policy = re.search(r'Policy" content="([^"]*)"', report_page(seen()))[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert len(re.findall("sha256-", policy)) == 3


def test_embedded_json_ends_no_element():
    text = embedded({"a": "</script>\u2028"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script>\u2028"}
