"""Runs the collection for Insomnia, request by request, as Insomnia's own runner does.

python -m tests.insomnia http://127.0.0.1:8000 TOKEN
"""

import base64
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

VARIABLE = re.compile(r"\{\{ _\.(\w+) \}\}")
TAG = re.compile(r"\{% response '(header|body)', '(\w+)', 'b64::([A-Za-z0-9+/=]+)::46b', '[a-z-]+', \d+ %\}")


@dataclass
class Answer:
    request: dict[str, Any]
    url: str
    status: int
    headers: Any
    body: bytes


class Runner:
    """Sends the requests of a collection in its order, with its environment and its values of earlier answers."""

    def __init__(self, collection: dict[str, Any], **variables: str) -> None:
        assert collection["_type"] == "export" and collection["__export_format"] == 4
        resources = collection["resources"]
        self.by_kind = {
            kind: sorted((each for each in resources if each["_type"] == kind), key=lambda each: each["metaSortKey"])
            for kind in ("environment", "request_group", "request")
        }
        [environment] = self.by_kind["environment"]
        self.variables = environment["data"] | variables
        self.answers: dict[str, Answer] = {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def run(self) -> Iterator[Answer]:
        for folder in self.by_kind["request_group"]:
            for request in self.by_kind["request"]:
                if request["parentId"] == folder["_id"]:
                    yield self.send(request)

    def send(self, request: dict[str, Any]) -> Answer:
        url = self.fill(request["url"])
        if request["parameters"]:
            url += "?" + urlencode([(each["name"], self.fill(each["value"])) for each in request["parameters"]])
        headers = {each["name"]: self.fill(each["value"]) for each in request["headers"]}
        assert request["authentication"]["type"] == "bearer"
        headers["Authorization"] = "Bearer " + self.fill(request["authentication"]["token"])
        text = request["body"].get("text")
        data = None if text is None else self.fill(text).encode()
        sent = urllib.request.Request(url, data, headers, method=request["method"])
        try:
            with self.opener.open(sent, timeout=60) as response:
                answer = Answer(request, url, response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                answer = Answer(request, url, error.code, error.headers, error.read())
        self.answers[request["_id"]] = answer
        return answer

    def fill(self, text: str) -> str:
        text = VARIABLE.sub(lambda match: self.variables[match[1]], text)
        return TAG.sub(lambda match: quote(self.find(*match.groups()), safe="~-._"), text)

    def find(self, kind: str, request: str, place: str) -> str:
        place, answer = base64.b64decode(place).decode(), self.answers[request]
        if kind == "header":
            return str(answer.headers[place])
        value = json.loads(answer.body)
        for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", place.removeprefix("$")):
            value = value[name] if name else value[int(index)]
        return str(value)


def main(base_url: str, token: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    wanted = urllib.request.Request(base_url + "/api/insomnia.json", headers={"Authorization": f"Bearer {token}"})
    with opener.open(wanted) as response:
        collection = json.load(response)
    failed = 0
    for answer in Runner(collection, base_url=base_url, token=token).run():
        failed += not 200 <= answer.status < 300
        sys.stdout.write(f"{answer.status} {answer.request['method']:6} {answer.url.removeprefix(base_url)}\n")
        if answer.status >= 300:
            sys.stdout.write(answer.body.decode() + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2]))
