import pytest
from babel.messages.catalog import Catalog
from django.utils import translation
from django.utils.translation import trans_real

from scripts import messages

pytestmark = pytest.mark.any_database


def catalog(*entries):
    made = Catalog(locale="ru")
    for words, text in entries:
        made.add(words, text)
    return made


def found_in_template(source):
    return [(m.context, m.id) for m in messages.messages_of_template(source)]


def problems_of(words, text):
    return list(messages.problems(catalog((words, "")), catalog((words, text))))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% translate "Book (now)" %}', (None, "Book (now)")),
        ('{% translate "May" context "month" %}', ("month", "May")),
        ('{% translate "100% free" as text %}', (None, "100%% free")),
        ('{{ name|default:_("Nobody") }}', (None, "Nobody")),
        ('{{ _("100% free") }}', (None, "100%% free")),
        ('{% include "row.html" with title=_("Places") %}', (None, "Places")),
        ('<a title="{% translate \'the "best"\' %}">don\'t</a>', (None, 'the "best"')),
        (
            "{% blocktranslate trimmed with name=place.name %}\n  Book\n  {{ name }}\n"
            "{% endblocktranslate %}",
            (None, "Book %(name)s"),
        ),
        (
            "{% blocktranslate count n=places|length %}{{ n }} place{% plural %}{{ n }} places"
            "{% endblocktranslate %}",
            (None, ("%(n)s place", "%(n)s places")),
        ),
        (
            '{% blocktranslate count n=n context "seats" %}one{% plural %}many'
            "{% endblocktranslate %}",
            ("seats", ("one", "many")),
        ),
    ],
)
def test_messages_of_a_template(source, expected):
    assert found_in_template(source) == [expected]


def test_messages_inside_other_tags_are_found():
    source = (
        '{% partialdef row inline %}{% if a %}{% translate "A" %}{% endif %}{% endpartialdef %}'
        '{% block main %}{% for x in y %}{% translate "B" %}{% endfor %}{% endblock %}'
    )
    assert found_in_template(source) == [(None, "A"), (None, "B")]


def test_commented_messages_are_left_out():
    source = '{# {% translate "A" %} #}{% comment %}{% translate "B" %}{% endcomment %}'
    assert found_in_template(source) == []


def test_messages_of_code(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(
        "_('Plain'); gettext_lazy('Lazy'); pgettext('month', 'May')\n"
        "ngettext('%(n)s place', '%(n)s places', n)\n"
        "npgettext('seats', 'one', 'many', n); _(computed)\n"
    )
    assert [(m.context, m.id) for m in messages.messages_of_code(path)] == [
        (None, "Plain"),
        (None, "Lazy"),
        ("month", "May"),
        (None, ("%(n)s place", "%(n)s places")),
        ("seats", ("one", "many")),
    ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Place", "Место"),
        ("Book %(name)s", "Забронировать %(name)s"),
        ("It can’t: say 'please'", "Нельзя: скажите «пожалуйста»"),
        (("%(n)s place", "%(n)s places"), ("%(n)s место", "%(n)s места", "%(n)s мест")),
        (("one place", "%(n)s places"), ("%(n)s место", "%(n)s места", "%(n)s мест")),
    ],
)
def test_a_right_translation_passes(words, text):
    assert problems_of(words, text) == []


@pytest.mark.parametrize(
    ("words", "text", "problem"),
    [
        ("Place", "", "untranslated: 'Place'"),
        ("Book %(name)s", "Забронировать", "other placeholders: 'Book %(name)s'"),
        ("Book %(name)s", "Забронировать %(nmae)s", "other placeholders: 'Book %(name)s'"),
        ("Book {name}", "Забронировать {}", "other placeholders: 'Book {name}'"),
        ("100%% free", "100% даром", "other placeholders: '100%% free'"),
        ("It can't", "Нельзя", 'an apostrophe that isn’t ’: "It can\'t"'),
        ("Our members' rules", "Правила", 'an apostrophe that isn’t ’: "Our members\' rules"'),
        ("Say 'please'", "Скажите «don't»", "an apostrophe that isn’t ’: \"Say 'please'\""),
        (("a place", "places"), ("место", "места"), "wrong number of plural forms: 'a place'"),
        (("a place", "places"), ("место", "места", ""), "untranslated: 'a place'"),
        (
            ("one place", "%(n)s places"),
            ("одно место", "%(n)s места", "%(n)s мест"),  # 21 is this form too
            "other placeholders: 'one place'",
        ),
    ],
)
def test_a_wrong_translation_is_named(words, text, problem):
    assert problems_of(words, text) == [problem]


def test_a_fuzzy_translation_is_named():
    present = Catalog(locale="ru")
    present.add("Place", "Место", flags=["fuzzy"])
    assert list(messages.problems(catalog(("Place", "")), present)) == ["fuzzy: 'Place'"]


def test_missing_and_obsolete_messages_are_named():
    problems = messages.problems(catalog(("New", "")), catalog(("Old", "Старое")))
    assert list(problems) == ["missing: 'New'", "obsolete: 'Old'"]


def test_extracting_keeps_translations_and_drops_what_is_gone():
    merged = messages.merge(
        catalog(("Kept", ""), ("New", "")), catalog(("Kept", "Осталось"), ("Old", "Старое"))
    )
    assert {m.id: m.string for m in merged if m.id} == {"Kept": "Осталось", "New": ""}


def test_writing_what_was_read_changes_nothing(tmp_path):
    path = tmp_path / "django.po"
    messages.write(catalog(("b", "б"), ("a", "а"), (("place", "places"), ("м", "ма", "м"))), path)
    first = path.read_bytes()
    messages.write(messages.read(path), path)
    assert path.read_bytes() == first


@pytest.fixture
def catalogue_in_use(tmp_path, settings, monkeypatch):
    path = tmp_path / "ru/LC_MESSAGES/django.po"
    forms = ("%(n)s место", "%(n)s места", "%(n)s мест")
    messages.write(catalog((("%(n)s place", "%(n)s places"), forms)), path)
    messages.compile_one(path)
    settings.LOCALE_PATHS = [tmp_path]
    monkeypatch.setattr(trans_real, "_translations", {})
    with translation.override("ru"):
        yield


@pytest.mark.usefixtures("catalogue_in_use")
@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (0, "0 мест"),
        (1, "1 место"),
        (2, "2 места"),
        (5, "5 мест"),
        (11, "11 мест"),
        (21, "21 место"),
        (112, "112 мест"),
    ],
)
def test_russian_plurals_beside_the_catalogue_of_django(n, expected):
    assert translation.ngettext("%(n)s place", "%(n)s places", n) % {"n": n} == expected


@pytest.mark.usefixtures("catalogue_in_use")
def test_the_messages_of_django_keep_their_own_plurals():
    text = translation.ngettext("%(num)d minute", "%(num)d minutes", 5) % {"num": 5}
    assert text.replace("\xa0", " ") == "5 минут"
