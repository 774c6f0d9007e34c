"""American spelling, as in ROS, in every text of the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Kept: a key of the data beside the checkout, and a deprecated name.
QUOTED = re.compile(r"entry\['licence'\]|\.metres\b|def metres\b|'metres'|'color', 'colour'")

_IZE = (
    'alphabet apolog author capital categor central character color crystal custom digit discret '
    'econom emphas equal factor final formal general global harmon ideal individual initial '
    'internal item legal linear local magnet marginal material maxim mechan memor minim mobil '
    'modern modular neutral normal optim organ orthogonal parallel parameter parametr penal '
    'personal polar popular prior priorit quant random raster rational real recogn regular sanit '
    'scrutin serial special stabil standard summar symbol synchron synthes token triangular '
    'trivial util vector verbal visual'
)
_OUR = 'arm behavi col endeav fav flav harb hon hum lab neighb od rig rum sav splend vap vig'
_RE = 'calib cent fib lit lust met sab somb spect theat'
_DOUBLED_L = (
    'cancel channel counsel dial equal fuel initial label level marshal model panel parcel pencil '
    'quarrel rival signal spiral total travel tunnel'
)
_WORDS = (
    'acknowledgements? ageing aluminium amongst analogues? artefacts? biass(?:ed|ing) catalogues? '
    'cheques? cosy defence draughts? enrol focuss(?:ed|ing) fulfil grey(?:s|scale|ish|er)? instal '
    'instalments? judgements? kerbs? learnt licences? manoeuvre[sd]? maths mould(?:s|ed|ing)? '
    'offence plough(?:s|ed)? practis(?:ed|ing) pretence programmes? sceptic(?:al)? skilful spelt '
    'storeys? sulphur tyres? whilst wilful'
)


def _any(words: str) -> str:
    return f'(?:{"|".join(words.split())})'


BRITISH = re.compile(
    '|'.join(
        (
            rf'(?:de|re|un|non|pre)?{_any(_IZE)}is(?:e|ed|es|ing|ers?|ations?|able)',
            rf'(?:dis|mis|un)?{_any(_OUR)}our(?:s|ed|ing|ful|able|ably|hood|less|ites?|al|ally|ers?)?',
            rf'(?:milli|centi|kilo|micro|nano)?{_any(_RE)}re[sd]?',
            rf'(?:re|un|mis)?{_any(_DOUBLED_L)}l(?:ed|ing|ers?)',
            r'(?:anal|catal|paral)ys(?:e|ed|ing|ers?)',
            r'centring',
            _any(_WORDS),
        )
    )
)


def british(text: str) -> list[str]:
    """Return the words of a text, parts of names included, that are not spelled American."""
    words = re.findall(r'[A-Z]?[a-z]+|[A-Z]+', QUOTED.sub('', text))
    return [word for word in words if BRITISH.fullmatch(word.lower())]


def tracked_texts() -> dict[str, str]:
    """Return the texts under version control by their path, but for the license and this file."""
    listed = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True)
    names = [name for name in listed.stdout.split('\0') if name]
    if listed.returncode or not names:
        pytest.skip('this is no git checkout')
    texts = {}
    for name in names:
        path = ROOT / name
        if name != 'LICENSE' and path != Path(__file__).resolve() and path.is_file():
            content = path.read_bytes()
            if b'\0' not in content:
                texts[name] = content.decode()
    return texts


def test_every_text_is_spelled_american() -> None:
    found = {name: british(name + '\n' + text) for name, text in tracked_texts().items()}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    'text',
    [
        *('The colour', 'COLOUR_MAP', 'bgr_colours', 'ColourMap', 'behavioural', 'neighbouring'),
        *('two metres', 'millimetres', 'centred', 'image_centre', 'fibre', 'centring'),
        *('normalised', 'reinitialise', 'an optimiser', 'serialisation', 'is_recognisable'),
        *('analyse', 'modelling', 'unlabelled', 'cancelled', 'greyscale', 'Grey', 'judgement'),
        *('a licence', 'artefacts', 'ageing', 'programme'),
    ],
)
def test_british_words_are_found(text: str) -> None:
    assert len(british(text)) == 1


@pytest.mark.parametrize(
    'text',
    [
        'color, gray, center, meter, license, neighbor, behavior, normalize, analyze, modeling',
        'four hours, your contour, advise, raise, rise, noise, precise, exercise, otherwise',
        'analysis, analyses, emphasis, synthesis, realist, organism, cancellation, parallel',
        'there, here, acre, genre, store, programmed, parameters, enroll, fulfill, install',
        "entry['licence']",
        'Depth.metres is deprecated',
    ],
)
def test_american_words_and_quoted_names_are_not(text: str) -> None:
    assert british(text) == []
