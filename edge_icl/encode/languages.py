"""Whether texts are in a language that an encoder reads: an honest guess, by scripts and by little words.

    >>> judge("Wo ist mein Paket?", ("en",)), judge("Where is my parcel?", ("en",)), judge("refund", ("en",))
    (False, True, None)

Letters of another script settle it. Texts in the Latin script are told apart by the words that every
sentence has, such as "the" and "der" (Grefenstette, "Comparing Two Language Identification Schemes", JADT
1995). One text may mislead, as a name may; so what counts is how many of a store's texts are foreign.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.search.scripts import Sight

if TYPE_CHECKING:
    from collections.abc import Iterable

FEWEST, ONE_IN = 3, 4
"""So many texts, and one in so many of all, must be foreign before a store is said to be."""

_ENGLISH = (
    "the and is are of to with my you it that this not does can how what why when where have from by but "
    "your they there would could should please about did been her their which who than then just more "
    "into out up get for i i'm don't it's be was on at me we if a in an so no do as or he she has his all "
    "any am die war man also hat van met pro care ale till hay con com co al dan men den des son sin sur "
    "ma pas mes mas das dos la le les"
)
"""Also words of other languages that English texts hold, such as van: counted for both, they tell nothing."""

_OTHERS = {
    "cs": "a i o v z k s je na se že jsem není jak ale pro moje můj od za po už jsou který jako ve ze při "
    "mi si byl",
    "da": "i og det er ikke jeg en et på til med for af den har som kan min mit hvordan fra skal vil hvor "
    "hvad der",
    "de": "der die das und ist nicht ein eine einen einem einer zu zum zur mit für auf von vom den dem des "
    "im in ich mein meine meinen wie kann bei beim nach wird sich auch aus es sie wir mir bitte oder "
    "aber nur noch was wenn habe haben sind über ohne kein keine warum wann wurde werden diese dieser "
    "heute wo am an so man er war",
    "es": "a el la los las un una de del y en que es no me para mi mis su se lo al como pero más está este "
    "esta cómo qué cuando muy sin ya hay tengo puedo quiero desde hasta con por",
    "fi": "ja ei on että se ole minun kun mutta voi miten olen hän tämä oli en mitä missä sen",
    "fr": "a le la les un une des du de et est pas dans avec je mon ma mes vous nous il elle que qui ne au "
    "en on aux ce cette à suis sont votre notre pourquoi quand où très mais ou chez été sur me l' d' "
    "j' qu' n' c' s'",
    "hu": "a az és egy nem hogy van meg de ez mi én nekem mint csak már ki el is",
    "id": "yang dan di ke dari untuk saya tidak dengan ini itu apa bagaimana pada ada bisa adalah",
    "it": "a il lo la gli le un una uno di del della dei è che non da in con nel nella al alla ai perché "
    "più anche questo questa posso vorrei dal dalla sul sulla mi mio mia si sono ho l' dell' un' c' i",
    "nl": "de het een en van in is of niet ik mijn dat voor met op te zijn aan er maar om bij naar uit ook "
    "wat hoe heb heeft wordt deze dit geen nog waar als je wij we worden kan me hij die",
    "no": "i og det er ikke jeg en et på til med for av den har som kan min mitt hvordan fra skal vil hvor hva",
    "pl": "a i w z na nie się jest że mój moja jak za od po co czy dla przez mam jestem to do o",
    "pt": "a o as os um uma de do da dos das e não que em no na nos nas por para com meu minha se é está "
    "são como mas mais ao à pelo pela eu você seu sua foi tem quero posso me",
    "ro": "a în de la cu pe nu este un mi din care pentru mea meu ce sunt dar o să",
    "sv": "i och att det en ett är på jag inte med för av till den har som mitt min hur från vill eller kan",
    "sw": "na ya wa kwa ni katika la za kuwa hii hiyo yangu wangu nini",
    "tl": "ang ng sa na mga ay hindi ko ako ba po",
    "tr": "bir ve bu için ile de da ne m\u0131 çok var değil benim nas\u0131l olarak daha mi bana",
    "vi": "và của là có không tôi cho với được các một ở những này đến",
}
_WORDS = {language: frozenset(words.split()) for language, words in {"en": _ENGLISH, **_OTHERS}.items()}
"""Language -> words that its sentences are full of."""

LOOKED_AT = 1000
"""Characters of a text: they tell as much as all of it."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_APOSTROPHE = "\u2019"


class Foreign(NamedTuple):
    """How many texts are in a language that the encoder does not read.

    Attributes:
        texts: how many were looked at.
        foreign: how many of them are.
        told: how many of them are in one that it reads; of the others nothing can be said.
    """

    texts: int
    foreign: int
    told: int

    @property
    def mostly(self) -> bool:
        """Whether so many are foreign that another encoder is worth a try."""
        return self.foreign >= max(FEWEST, self.texts / ONE_IN) and self.foreign > self.told

    def as_json(self) -> dict[str, int]:
        """Return the fields for JSON."""
        return self._asdict()


def count(texts: Iterable[str], languages: tuple[str, ...]) -> Foreign:
    """Return how many texts are in another language than these.

    Args:
        texts: as many as wanted; each takes some microseconds.
        languages: codes (ISO 639-1) of those that an encoder reads; () for all.
    """
    found = [judge(text, languages) for text in texts]
    return Foreign(len(found), found.count(False), found.count(True))


def judge(text: str, languages: tuple[str, ...]) -> bool | None:
    """Tell whether a text is in one of the languages; None where nothing tells.

    Args:
        text: of any length.
        languages: codes (ISO 639-1); () for all.
    """
    if not languages:
        return None
    text = text[:LOOKED_AT]
    if Sight(languages).is_foreign(text):
        return False
    words = {word.lower().replace(_APOSTROPHE, "'") for word in _WORD.findall(text)}
    words |= {word[: word.index("'") + 1] for word in words if "'" in word}
    own, other = 0, 0
    for language, known in _WORDS.items():
        hits = len(words & known)
        if language in languages:
            own = max(own, hits)
        else:
            other = max(other, hits)
    if own == other:
        return None
    return own > other
