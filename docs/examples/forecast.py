"""The newest forecast of a sensor, with Python's standard library alone: python3 forecast.py SENSOR [TARGET]

PREDICTOR_URL says where the API is, PREDICTOR_KEY is a key of it (scope read), or empty.
"""

import json
import os
import sys
import time
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

URL = os.environ.get("PREDICTOR_URL", "http://127.0.0.1:3000")
KEY = os.environ.get("PREDICTOR_KEY", "")


def ask(path, tries=4, **query):
    """The answer as Python values. What is refused for now (429, 503) is asked for again when the API says."""
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {KEY}"} if KEY else {})
    request = Request(f"{URL}{path}?{urlencode(query)}", headers=headers)
    try:
        with urlopen(request, timeout=20) as response:
            return json.load(response)
    except HTTPError as error:
        if error.code in (429, 503) and tries > 1:
            time.sleep(float(error.headers.get("Retry-After", 1)))
            return ask(path, tries - 1, **query)
        problem = json.load(error)
        raise SystemExit(f"{problem['title']}: {problem['detail']} (request {problem.get('requestId')})") from error


def pages(path, **query):
    """Every item of a list, page after page."""
    while True:
        page = ask(path, **query)
        yield from page["items"]
        if page["nextCursor"] is None:
            return
        query["cursor"] = page["nextCursor"]


def main(sensor, target="temperature"):
    print("sensors:", ", ".join(item["sensorId"] for item in pages("/v1/sensors", limit=200)))
    path = f"/v1/sensors/{quote(sensor, safe='')}/forecasts"
    forecast = ask(path, target=target)["items"][0]
    covered = forecast["coverage"]["observed"]
    print(f"{sensor}, {target}, by {forecast['method']} from {forecast['origin']};", end=" ")
    print("its 80 % range has not been judged yet" if covered is None else f"its 80 % range held {covered:.0%}")
    for at, low, middle, high in zip(forecast["targetAt"], forecast["q10"], forecast["q50"], forecast["q90"]):
        print(f"{at}  {low:8.2f} {middle:8.2f} {high:8.2f} {forecast['unit']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
