"""Pairs of inputs that say nearly the same, and pairs that only look like it; thresholds come from them.

    >>> NEAR_COPIES[0].one, NEAR_COPIES[0].other
    ('Can you book a table for four on Friday?', 'can you book a table for four on friday')

A near copy differs from its twin by a slip of the finger, a comma, a filler, a capital, the order of words or a
"please": forgetting one of the two, a person would want to hear of the other. The pairs of `DIFFERENT` share
most of their words or their topic, and mean other things. The similarity from which an encoder calls two inputs
nearly the same lies between what it says of the ones and of the others.

**They must never change**: the threshold is recorded with the encoder when it is imported. No text of a pair is
one of the texts of `common_texts`, which the centre is made of.
"""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """Two inputs of one language.

    Attributes:
        language: its code (ISO 639-1).
        one: an input.
        other: the input that it is compared with.
    """

    language: str
    one: str
    other: str


NEAR_COPIES = (
    Pair("en", "Can you book a table for four on Friday?", "can you book a table for four on friday"),
    Pair("en", "My parcel has not arrived yet", "My parcel hasn't arrived yet."),
    Pair("en", "Lunch with a client, 32.50", "Lunch with client 32.50"),
    Pair("en", "The washing machine is leaking again", "The washing machine is leeking again"),
    Pair("en", "How do I reset my password?", "Please, how do I reset my password?"),
    Pair("en", "Cancel my newspaper subscription", "Please cancel my newspaper subscription"),
    Pair("en", "I lost my bank card yesterday", "Yesterday I lost my bank card"),
    Pair("en", "The hotel room was dirty and far too small", "the hotel room was dirty, and far too small!"),
    Pair("en", "Dinner at the Greek place was really good", "The dinner at the Greek place was really good"),
    Pair("en", "Where can I buy train tickets?", "Where can I buy a train ticket?"),
    Pair("en", "Turn on the heating in the bathroom", "TURN ON THE HEATING IN THE BATHROOM"),
    Pair("en", "The lift has been out of order since Monday", "The lift has been out of ordr since Monday"),
    Pair("en", "Dentist, moved to Thursday at ten", "Dentist moved to Thursday, at ten"),
    Pair(
        "en",
        "I'd like to return these shoes because they are too small",
        "I would like to return these shoes, because they are too small.",
    ),
    Pair(
        "en",
        "My son is ill and cannot come to school today",
        "Today my son is ill and cannot come to school",
    ),
    Pair("en", "Why is my internet so slow in the evening?", "Why is my internet so slow in the evenings?"),
    Pair("en", "What a boring film", "What a boring film!!!"),
    Pair("en", "Water the plants on the balcony", "Water the plants on the balcony, thanks"),
    Pair(
        "en",
        "The new phone feels cheap but takes great pictures",
        "The new phone feels cheap, but it takes great pictures",
    ),
    Pair("en", "Bus pass for May, 49 euros", "Bus pass for May: 49 euros"),
    Pair("en", "We need two more chairs for the meeting room", "We need 2 more chairs for the meeting room"),
    Pair("en", "My knee hurts when I climb stairs", "My knee hurts when I climb the stairs"),
    Pair("en", "Is breakfast included in the price?", "Hello, is breakfast included in the price?"),
    Pair("en", "The driver left the box out in the rain", "The driver just left the box out in the rain"),
    Pair("de", "Der Drucker druckt nur noch leere Seiten", "der drucker druckt nur noch leere seiten!"),
    Pair("de", "Können Sie mir bitte die Rechnung schicken?", "Können Sie mir die Rechnung schicken, bitte?"),
    Pair("fr", "Où est la gare la plus proche ?", "Bonjour, où est la gare la plus proche ?"),
    Pair("es", "La entrega llegó dos días tarde", "La entrega llego dos dias tarde."),
    Pair("it", "Domani non posso venire al corso", "Non posso venire al corso domani"),
    Pair("pt", "Qual é o horário de funcionamento?", "Qual o horário de funcionamento?"),
    Pair("nl", "Ik wil graag een afspraak maken", "Ik wil graag een afspraak maken a.u.b."),
    Pair("pl", "Chcę zwrócić te buty, są za małe", "Chce zwrocic te buty, sa za male"),
    Pair("ru", "Не работает лифт в третьем подъезде", "В третьем подъезде не работает лифт"),
    Pair("tr", "Kargom hâlâ gelmedi", "kargom hala gelmedi!!"),
    Pair("ar", "كم سعر هذه الحقيبة؟", "كم سعر هذه الحقيبة من فضلك"),
    Pair("hi", "मेरा पार्सल अभी तक नहीं आया", "मेरा पार्सल अभी तक नहीं आया है।"),
    Pair("th", "ขอใบเสร็จด้วยครับ", "ขอใบเสร็จด้วยค่ะ"),
    Pair("ja", "トイレの水が止まりません", "トイレの水が止まりません。"),
    Pair("zh", "我的快递什么时候到", "请问我的快递什么时候到？"),
    Pair("ko", "주차장이 어디에 있나요?", "주차장 어디에 있나요"),
)
"""Forty pairs that a person would call the same, said almost the same way."""

DIFFERENT = (
    Pair("en", "Taxi to the airport", "Taxi from the office"),
    Pair("en", "I want to open a savings account", "I want to close a savings account"),
    Pair("en", "The waiter was polite", "The waiter was not polite"),
    Pair("en", "Remind me to call Anna at nine", "Remind me to call the bank at noon"),
    Pair("en", "Our room has a view of the sea", "Our room has no view of the sea"),
    Pair("en", "Turn on the light in the kitchen", "Turn off the radio in the kitchen"),
    Pair("en", "Two coffees and a sandwich, 11.40", "Two pizzas and a bottle of wine, 41.10"),
    Pair("en", "My card was stolen on the train", "My card was declined on the train"),
    Pair("en", "How do I change my address?", "How do I change my language?"),
    Pair("en", "The concert starts at eight", "The concert was called off at eight"),
    Pair("en", "I am happy with the new vacuum cleaner", "I am not happy with the new vacuum cleaner"),
    Pair("en", "Please send me the invoice again", "Please pay the invoice today"),
    Pair("en", "My left knee hurts after running", "My right ear hurts after swimming"),
    Pair("en", "Rent for the flat in May", "Deposit for the flat in Leeds"),
    Pair("en", "The parcel arrived too late", "The parcel arrived broken"),
    Pair("en", "Is the pool heated in winter?", "Is the pool closed in winter?"),
    Pair("en", "Train to Berlin, second class", "Flight to Berlin, business class"),
    Pair("en", "She passed the driving test", "She failed the driving test"),
    Pair("en", "Can I bring my dog to the hotel?", "Can I leave my luggage at the hotel?"),
    Pair("en", "The film is long but never boring", "The film is boring and far too long"),
    Pair("en", "Buy flour and eggs", "Beat the eggs into the flour"),
    Pair("en", "The meeting is moved to Monday", "The meeting is moved to the small room"),
    Pair("en", "Do you deliver on Sundays?", "Are there guided tours on Sundays?"),
    Pair("en", "The heating is too loud at night", "The heating stays cold in the morning"),
    Pair("de", "Ich möchte ein Konto eröffnen", "Ich möchte ein Konto schließen"),
    Pair("de", "Das Essen war gut", "Das Essen war nicht gut"),
    Pair("fr", "Le colis est arrivé en avance", "Le colis est arrivé abîmé"),
    Pair("es", "Enciende la luz del baño", "Limpia el espejo del baño"),
    Pair("it", "Il treno per Roma è in orario", "Il treno per Roma è cancellato"),
    Pair("pt", "Quero trocar de senha", "Quero trocar de quarto"),
    Pair("nl", "De kapper is open op maandag", "De kapper is duurder geworden"),
    Pair("pl", "Boli mnie gardło od rana", "Boli mnie kolano po bieganiu"),
    Pair("ru", "Купи молоко и хлеб", "Купи билеты в театр"),
    Pair("tr", "Uçak saat beşte kalkıyor", "Uçak biletini iptal etmek istiyorum"),
    Pair("ar", "أريد حجز غرفة لشخصين", "أريد إلغاء حجز الغرفة"),
    Pair("hi", "कल बैंक खुला है", "कल बैंक बंद रहेगा"),
    Pair("th", "อาหารจานนี้เผ็ดมาก", "อาหารจานนี้จืดไปหน่อย"),
    Pair("ja", "新しい靴を買いました", "新しい靴を返品したいです"),
    Pair("zh", "明天下午三点开会", "明天下午三点去医院"),
    Pair("ko", "예약을 확인하고 싶어요", "예약을 취소하고 싶어요"),
)
"""Forty pairs that share words or a topic, and say different things."""
