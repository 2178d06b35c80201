"""Everyday texts in sixteen languages, from which an encoder's centre and scale are computed.

    >>> len(COMMON_TEXTS["en"]), len(COMMON_TEXTS["th"])
    (48, 12)

Every vector of an encoder has a part that all texts share, whatever they say. The mean of the vectors of these
texts is near it, and is the same on every machine where the encoder computes the same. They are ours, made up:
nothing that is taught or forgotten has a share in them.

**They must never change**, not by a comma: a centre is part of an encoder's definition, and another centre is
another encoder to every store. Wanted are texts as people type them, about as many things as there are lines:
questions, letters, reviews, orders, expenses, complaints, notes. No two lines of one language say the same.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _lines(block: str) -> tuple[str, ...]:
    """Return the lines of a block, less the white space around them."""
    return tuple(line.strip() for line in block.strip().splitlines())


COMMON_TEXTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": _lines("""
            Can you pick up the kids from school at four today?
            Taxi from the station to the hotel, 18.50, paid in cash.
            The soup was cold and we waited forty minutes for it. Not coming back.
            Dear Ms Walker, thank you for your letter of 3 May; I am sorry for the late reply.
            Turn off the lights in the living room
            My order arrived with one cup broken. How do I get a new one?
            What is the difference between baking soda and baking powder?
            Great little hotel, friendly staff, and the best breakfast we had all week!
            I forgot my password and the reset mail never comes.
            Electricity bill, March: 64.20
            Move tomorrow's meeting to Friday morning, please, and tell everyone who was invited.
            He scored twice in the last ten minutes and the whole street was shouting.
            The doctor says it is only a cold, but I should stay in bed until Monday.
            how long do you boil an egg so that the yolk stays soft
            We are looking for someone to look after two cats during the first week of August.
            Remind me to water the plants on Sunday.
            The new update makes the app crash every time I open a photo.
            I loved the first half of the film, but the ending made me fall asleep.
            New tyres for the bike, two at 22 each
            Happy birthday, grandma! We will call you tonight after dinner.
            Is the museum open on public holidays, and do students pay less?
            Our flight was cancelled and nobody at the desk could tell us when the next one leaves.
            Bread, milk, six eggs, washing powder, something for the dog
            Please find attached the signed contract and the invoice for the second half of the year.
            Why does my neighbour's drill start at seven every single Saturday?
            Translate this sentence into Spanish and keep it polite.
            The parcel says delivered, but there is nothing at my door.
            I would like to cancel my membership at the end of the month.
            It rained all weekend, so we stayed in and played cards.
            Haircut 30, tip 5
            Could you send me the slides from yesterday's talk? I missed the part about budgets.
            The battery lasts two days, the screen is bright, and it costs half of what the others ask.
            My daughter has had a fever since last night and does not want to drink.
            Play something quiet by a piano
            Which bus goes to the beach from here?
            The landlord still has not repaired the heating, and it is eleven degrees in the bedroom.
            Congratulations on the new job, you have earned it!
            I was charged twice for the same ticket and want one payment back.
            Shoes run small, so order one size larger; otherwise very comfortable.
            Set a timer for twelve minutes.
            The train was full, so I stood all the way with two suitcases and a guitar.
            Do I need a visa if I only change planes there?
            We regret to inform you that the position has been filled by another candidate.
            Donation to the animal shelter, 25 a month
            She plants tomatoes along the wall because it is warm there until late in the evening.
            What a waste of money. It stopped working after three days.
            Write a short note to my team: the office stays closed on Thursday because of the storm.
            good morning, is the flat on the second floor still free?
        """),
        "de": _lines("""
            Kannst du auf dem Heimweg noch Brot und Butter mitbringen?
            Sehr geehrte Damen und Herren, hiermit kündige ich meinen Vertrag zum nächstmöglichen Termin.
            Die Waschmaschine schleudert nicht mehr und macht dabei einen Höllenlärm.
            Tanken 58,40 Euro
            Tolles Restaurant, freundliche Bedienung, nur der Nachtisch war etwas zu süß.
            Stell den Wecker auf halb sieben
            Wie lange ist der Zahnarzt am Freitag in der Praxis?
            Mein Paket steht seit einer Woche auf „in Zustellung“, und am Telefon ist niemand zu erreichen.
            Wir waren am Sonntag mit den Kindern im Zoo, obwohl es den ganzen Tag geregnet hat.
            Herzlichen Glückwunsch zur bestandenen Prüfung!
            Nach dem zweiten Kapitel habe ich das Buch weggelegt, so langweilig war es.
            Wer hat morgen Nachmittag Zeit, mir beim Umzug zu helfen?
        """),
        "fr": _lines("""
            Tu peux passer à la pharmacie avant la fermeture ?
            Plombier, réparation de la fuite sous l'évier : 120 euros
            Bonjour Madame, je vous écris au sujet de l'appartement que nous avons visité samedi.
            Mon téléphone ne se recharge plus depuis que je l'ai fait tomber.
            Le pain est excellent, mais il faut faire la queue une demi-heure le dimanche matin.
            Baisse le chauffage dans la chambre
            Quelle est la meilleure saison pour visiter la Bretagne en famille ?
            J'ai adoré ce concert, on a dansé jusqu'à minuit !
            Le train de 8 h 12 est encore supprimé et je vais manquer mon entretien.
            N'oublie pas d'arroser les tomates de mamie.
            Je souhaite échanger ces chaussures contre une pointure au-dessus.
            Le petit tousse beaucoup la nuit, mais il n'a pas de fièvre.
        """),
        "es": _lines("""
            ¿A qué hora sale el último autobús para el centro?
            Compra del mes en el supermercado, 86,30
            Estimado señor Ruiz: le envío la factura que me pidió por teléfono.
            La habitación olía a humedad y el aire acondicionado no funcionaba.
            Pon música tranquila para cenar
            Mañana no puedo ir a clase porque tengo cita con el médico.
            Me encanta esta cafetería: buen café, buena gente y enchufes en todas las mesas.
            ¿Cómo se quita una mancha de vino de un mantel blanco?
            Todavía no me han devuelto el dinero de las entradas que cancelé en abril.
            Mi hermano acaba de tener una niña y estamos todos felices.
            El partido se suspendió en el descanso por la lluvia.
            Se vende bicicleta de montaña, poco uso, con casco y candado.
        """),
        "it": _lines("""
            Mi presti la macchina sabato? Devo portare il frigorifero da mia zia.
            Abbonamento dell'autobus, aprile: 35 euro
            Gentile dottoressa, vorrei spostare la visita alla settimana prossima.
            La pizza era bruciata sotto e cruda sopra, una vera delusione.
            Come si fa il ragù senza carne?
            Accendi la luce in corridoio tra dieci minuti
            Il vicino suona la tromba fino alle undici di sera, e io mi alzo alle cinque.
            Che bella sorpresa la tua cartolina, grazie mille!
            Il sito non accetta la mia carta e l'offerta scade oggi.
            Abbiamo camminato sei ore per arrivare al rifugio, ma il panorama era magnifico.
            Cerco una baby-sitter per due sere alla settimana, zona stazione.
            Il maglione è morbido e caldo, però dopo il primo lavaggio si è ristretto.
        """),
        "pt": _lines("""
            Que horas abre a padaria no feriado?
            Conserto do carro, 450 reais em três vezes
            Prezada equipe, segue em anexo o relatório das vendas de junho.
            A internet cai toda noite depois das oito e já liguei cinco vezes.
            Lembre-me de pagar o aluguel na quinta-feira
            O hotel fica longe da praia, mas a vista e o café da manhã compensam.
            Minha avó faz o melhor bolo de milho do mundo.
            Posso devolver o presente sem a nota fiscal?
            Estou com dor de garganta desde ontem e mal consigo engolir.
            Vamos ao cinema no domingo ou você prefere ficar em casa?
            A novela ficou chata, sempre a mesma briga.
            Perdi o cartão do banco no ônibus e quero bloqueá-lo agora.
        """),
        "nl": _lines("""
            Hoe laat begint de ouderavond op school?
            Boodschappen en een bos bloemen, 43,75
            Geachte mevrouw De Vries, bedankt voor het prettige gesprek van gisteren.
            De lift is al drie dagen kapot en ik woon op de zesde verdieping.
            Doe de gordijnen dicht als het donker wordt
            Heerlijk gegeten, maar het was zo lawaaiig dat we elkaar niet konden verstaan.
            Kan iemand mij uitleggen hoe ik deze printer met de wifi verbind?
            Mijn fiets is gestolen bij het station, gelukkig was hij verzekerd.
            Zondag gaan we met z'n allen schaatsen als het ijs dik genoeg is.
            Ik heb de verkeerde maat besteld en wil het pakket terugsturen.
            Opa is gevallen, maar hij heeft niets gebroken.
            Wat een saai boek, ik ben halverwege gestopt.
        """),
        "pl": _lines("""
            Czy możesz odebrać paczkę z poczty przed szóstą?
            Prąd i gaz za luty, razem 312 zł
            Szanowni Państwo, proszę o przesłanie faktury na adres firmy.
            Autobus znowu się spóźnił i zmarzłam na przystanku.
            Jak długo piecze się sernik w piekarniku z termoobiegiem?
            Wyłącz telewizor za godzinę
            Kurtka jest lekka i ciepła, ale zamek zepsuł się po tygodniu.
            W sobotę jedziemy nad jezioro, jeśli tylko dopisze pogoda.
            Nie mogę się zalogować, strona ciągle pyta o kod z wiadomości.
            Syn dostał piątkę z matematyki i chodzi dumny jak paw.
            Boli mnie ząb, a najbliższy wolny termin jest dopiero za miesiąc.
            Bardzo miła obsługa i pyszne pierogi, na pewno wrócimy.
        """),
        "ru": _lines("""
            Во сколько завтра приходит мастер чинить стиральную машину?
            Такси до вокзала, 640 рублей
            Уважаемая Анна Сергеевна, высылаю исправленный вариант договора.
            Суп принесли холодным, а про салат вообще забыли.
            Включи чайник и открой окно на кухне
            Посоветуйте хорошую книгу для мальчика восьми лет.
            Деньги списали дважды, а заказ так и не появился.
            Мы целый день собирали грибы и вернулись с двумя полными корзинами.
            Кот третий день ничего не ест и прячется под кроватью.
            Поздравляю с новосельем, пусть в доме всегда будет тепло!
            Фильм затянутый, зато музыка прекрасная.
            Можно ли перенести экзамен, если я болею?
        """),
        "tr": _lines("""
            Akşam yemeğine kaç kişi geliyor?
            Market alışverişi 745 lira, kartla ödendi
            Sayın yetkili, geçen hafta aldığım ütü ısınmıyor; değiştirilmesini rica ederim.
            Yarın sabah yedide beni uyandır
            Manzara harikaydı ama garsonlar bizi hiç umursamadı.
            Çocuğun okul servisi bugün yine yarım saat gecikti.
            Yoğurt mayalarken sütün ne kadar sıcak olması gerekir?
            Uygulama güncellendiğinden beri bildirimler gelmiyor.
            Dedem bahçeye yeni bir kiraz ağacı dikti.
            Kiralık daire arıyorum, metroya yakın ve eşyalı olursa iyi olur.
            Maçın son dakikasında gol yiyince herkes sustu.
            Başım iki gündür ağrıyor, ilaç da fayda etmedi.
        """),
        "ar": _lines("""
            متى يفتح السوق في يوم الجمعة؟
            أجرة التاكسي إلى المطار ٨٥ ريالاً
            السيد المدير المحترم، أرجو الموافقة على إجازتي في الأسبوع الأول من رمضان.
            المكيف لا يبرد منذ أمس والجو حار جداً.
            كيف أطبخ الأرز من دون أن يلتصق؟
            أطفئ أنوار الصالة بعد نصف ساعة
            الفندق نظيف وقريب من البحر، لكن الإفطار متواضع.
            ابني يرفض الذهاب إلى المدرسة ولا أعرف السبب.
            وصلتني عباءة بلون مختلف عن الذي طلبته.
            شكراً على الهدية الجميلة، لقد أسعدتني كثيراً.
            خسر فريقنا المباراة بركلة جزاء في الدقيقة الأخيرة.
            أبحث عن شقة صغيرة للإيجار قرب الجامعة.
        """),
        "hi": _lines("""
            क्या आज शाम को बिजली आएगी?
            सब्ज़ी और दूध, कुल 320 रुपये
            आदरणीय महोदय, बुखार के कारण मैं दो दिन विद्यालय नहीं आ सकूँगा।
            ट्रेन चार घंटे देर से चली और डिब्बे में पानी भी नहीं था।
            कल सुबह छह बजे का अलार्म लगा दो
            खाना स्वादिष्ट था, लेकिन परोसने में बहुत देर लगा दी।
            मेरा फ़ोन बार-बार अपने आप बंद हो जाता है।
            चाय में अदरक कब डालनी चाहिए?
            दादी के लिए एक गरम शॉल खरीदनी है।
            पैसे कट गए पर टिकट नहीं मिला, कृपया मदद कीजिए।
            बारिश की वजह से मैच कल तक टल गया।
            नई नौकरी की बहुत-बहुत बधाई!
        """),
        "th": _lines("""
            พรุ่งนี้ร้านเปิดกี่โมง
            ค่าน้ำมันรถ 900 บาท
            เรียนคุณครู วันนี้ลูกไม่สบาย ขอลาหยุดหนึ่งวันค่ะ
            อาหารอร่อยมาก แต่ที่จอดรถหายากสุด ๆ
            ช่วยปิดแอร์ในห้องนอนด้วย
            ซื้อเสื้อไปเมื่อวานแล้วใส่ไม่ได้ ขอเปลี่ยนไซซ์ได้ไหมคะ
            น้ำท่วมหน้าบ้านจนออกไปทำงานไม่ได้
            ต้มไข่กี่นาทีถึงจะเป็นยางมะตูม
            แม่ปลูกมะม่วงไว้หลังบ้านสามต้น ปีนี้ออกลูกเต็มเลย
            เน็ตหลุดทุกสิบนาที โทรไปก็ไม่มีใครรับสาย
            หนังเรื่องนี้ตลกจนน้ำตาไหล
            เสาร์นี้ไปเที่ยวทะเลกันไหม
        """),
        "ja": _lines("""
            明日の会議は何時からですか？
            電車代 480円
            いつもお世話になっております。先日の見積書を添付いたします。
            ラーメンは美味しかったけど、店員の態度がひどかった。
            洗濯機から水が漏れて、床がびしょびしょになった。
            寝る前に加湿器を消して
            子どもが昨日から熱を出していて、保育園を休ませます。
            玉ねぎを切っても涙が出ない方法はありますか？
            注文した本がまだ届かないので、調べていただけますか。
            週末は家族で山に登って、おにぎりを食べました。
            この靴は軽くて歩きやすい。
            おばあちゃん、お誕生日おめでとう！
        """),
        "zh": _lines("""
            请问最近的地铁站怎么走？
            水电费二百三十六元
            王老师您好，孩子今天发烧，想请一天假。
            酒店位置很好，就是隔音太差，半夜都能听见楼上走路。
            把客厅的空调调到二十六度
            快递显示已签收，可是我根本没收到东西。
            红烧肉要炖多久才软？
            手机屏幕摔碎了，换一块要多少钱？
            周末我们去爬山，记得带水和雨伞。
            恭喜你考上大学！
            这部电影看到一半我就睡着了。
            爷爷每天早上在公园里下棋。
        """),
        "ko": _lines("""
            내일 비 온다는데 우산 챙겼어?
            점심값 9,500원
            안녕하세요, 지난주에 신청한 환불이 아직 처리되지 않아 문의드립니다.
            국물은 진한데 고기가 너무 질겼어요.
            거실 불 좀 꺼 줘
            아이가 밤새 기침을 해서 오늘은 병원에 데려가려고 합니다.
            김치찌개에 설탕을 넣어도 되나요?
            엘리베이터가 고장 나서 십 층까지 걸어 올라갔다.
            할머니 댁에서 감을 한 상자 보내 주셨다.
            비밀번호를 다섯 번 틀려서 계정이 잠겼어요.
            이 소설은 마지막 장에서 눈물이 났다.
            토요일에 같이 자전거 타러 갈래?
        """),
    }
)
"""Texts by the code of their language (ISO 639-1)."""
