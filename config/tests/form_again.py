"""The form that submits something again, as a browser would read it."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """The form on a page that submits something again: its URL, and its content."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.asked = None, [], []
        self.words = ""  # on its button
        self._is_inside = self._is_button = False
        main = page.text.partition("<main")[2].partition("</main>")[0]
        self.feed(main)

    def handle_starttag(self, tag, attrs):
        got = dict(attrs)
        if tag == "form":
            assert self.action is None, "one form"
            self.action, self._is_inside = got["action"], True
            assert got["method"] == "post"
        elif self._is_inside and tag == "input" and got["type"] == "hidden":
            self.fields.append((got["name"], got["value"]))
        elif self._is_inside and tag == "input":
            self.asked.append((got["type"], got["name"]))
        self._is_button = self._is_inside and tag == "button" and got.get("type") != "button"

    def handle_data(self, data):
        if self._is_button:
            self.words += data

    def handle_endtag(self, tag):
        self._is_button = False
        if tag == "form":
            self._is_inside = False

    @property
    def kept(self):
        return [field for field in self.fields if field[0] != "csrfmiddlewaretoken"]

    def press(self, client, **typed):
        return client.post(self.action, as_lists([*self.fields, *typed.items()]), follow=True)


def as_lists(pairs):
    return {name: [v for n, v in pairs if n == name] for name, _ in pairs}
