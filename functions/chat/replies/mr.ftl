# Marathi.

greeting = नमस्कार, मी नेक्सस, तुमची फार्मसी सहाय्यक. तुम्हाला कोणते औषध आणि किती पॅक हवे ते सांगा.
unclear = माफ करा, मला समजले नाही. कृपया औषधाचे नाव आणि किती पॅक हवे ते सांगा.
noted = धन्यवाद, मी नोंद केली आहे.

proposal = मी तुमची ऑर्डर तयार केली आहे:
proposal-item = { $product }, { $packs } पॅक, { NUMBER($total, minimumFractionDigits: 2) } रुपये.
proposal-total = एकूण { NUMBER($total, minimumFractionDigits: 2) } रुपये.
proposal-waits = पाठवण्याआधी आमचे फार्मासिस्ट ती तपासतील.
ask-confirm = ही ऑर्डर देऊ का? नक्की करण्यासाठी हो म्हणा.
changed = ऑर्डर दाखवल्यानंतर काही बदलले आहे, म्हणून मी ती पुन्हा तयार केली आहे.
expired = त्या ऑर्डरची वेळ संपली, म्हणून मी ती पुन्हा तयार केली आहे.
note-rounded = { $product } चे { $asked } नग पूर्ण पॅक होत नाहीत, म्हणून मी { $packs } पॅक म्हणजे { $units } नग ठेवले आहेत.
alternatives = त्याऐवजी तुम्ही हे घेऊ शकता: { $names }.
nothing-ordered = काहीही ऑर्डर केलेले नाही.

placed = तुमची ऑर्डर { $order } झाली आहे. एकूण { NUMBER($total, minimumFractionDigits: 2) } रुपये.
placed-waiting = तुमची ऑर्डर { $order } झाली आहे. पाठवण्याआधी फार्मासिस्ट ती तपासतील. एकूण { NUMBER($total, minimumFractionDigits: 2) } रुपये.
placed-before = ही ऑर्डर आधीच झाली आहे. तिचा क्रमांक { $order } आहे.
nothing-to-confirm = सध्या नक्की करण्यासाठी कोणतीही ऑर्डर नाही. तुम्हाला काय हवे ते सांगा.
declined = ठीक आहे, मी काहीही ऑर्डर केलेले नाही.
nothing-to-decline = ठीक आहे. सध्या कोणतीही ऑर्डर नाही.

questions-first = ऑर्डर देण्याआधी मला अजून एक उत्तर हवे आहे.
ask-age = पहिल्या ऑर्डरआधी मला माहीत हवे: रुग्णाचे वय किती वर्षे आहे?
ask-allergies = पहिल्या ऑर्डरआधी मला माहीत हवे: रुग्णाला कोणत्या औषधाची अ‍ॅलर्जी आहे का? नसल्यास काही नाही म्हणा.
ask-conditions = पहिल्या ऑर्डरआधी मला माहीत हवे: रुग्णाला कोणता आजार आहे का, जसे मधुमेह, दमा किंवा गर्भारपण? नसल्यास काही नाही म्हणा.

which-one = { $name } अनेक प्रकारचे आहे. तुम्हाला कोणते हवे?
which-quantity = कृपया औषधाचे नाव आणि किती पॅक, दोन्ही एकत्र सांगा.
report = एखाद्या औषधाचा त्रास झाला असेल तर कृपया आमच्या फार्मासिस्टला किंवा डॉक्टरांना सांगा. ऑर्डर करायची असेल तर औषधाचे नाव आणि किती पॅक ते सांगा.
how-many = { $product } चे किती पॅक हवे? एका पॅकमध्ये { $size } आहे.
is-it-wanted = तुम्हाला { $name } मागवायचे आहे का?
did-you-mean = { $name } म्हणजे काय याची मला खात्री नाही. तुम्हाला यापैकी एखादे म्हणायचे आहे का?
no-such-strength = तुम्ही सांगितले तसे { $name } आमच्याकडे नाही. हे आहेत. तुम्हाला कोणते हवे?
option = { $place }: { $product }, { $size }, { NUMBER($price, minimumFractionDigits: 2) } रुपये.
not-found = { $name } आमच्या यादीत सापडले नाही.
ask-another-name = कृपया नाव तपासा किंवा दुसरे औषध सांगा.

product-facts = { $manufacturer } च्या { $product } मध्ये { $ingredient } आहे आणि { $size } ची किंमत { NUMBER($price, minimumFractionDigits: 2) } रुपये आहे. ते उपलब्ध आहे.
product-facts-out-of-stock = { $manufacturer } च्या { $product } मध्ये { $ingredient } आहे आणि { $size } ची किंमत { NUMBER($price, minimumFractionDigits: 2) } रुपये आहे. ते सध्या उपलब्ध नाही.
question-unknown = मी किंमत आणि उपलब्धता सांगू शकते. उपचाराचे प्रश्न कृपया आमच्या फार्मासिस्टला किंवा तुमच्या डॉक्टरांना विचारा.
for-someone-else = हे खाते ज्यांचे आहे त्यांच्यासाठीच मी ऑर्डर करू शकते, कारण प्रत्येक औषध त्यांच्या वयाशी, अ‍ॅलर्जीशी आणि आजारांशी तपासावे लागते. कृपया त्यांच्या खात्याने साइन इन करा.
emergency = ही आणीबाणी वाटते. कृपया आत्ताच 112 किंवा 108 वर रुग्णवाहिकेसाठी फोन करा. स्वतःला इजा करण्याचा विचार येत असेल तर टेली मानस 14416 वर बोला, ते दिवसरात्र ऐकतात. मी ऑर्डर थांबवली आहे.
after-emergency = तुम्ही किंवा तुमच्यासोबत कोणी धोक्यात असेल, तर कृपया आत्ताच 112 किंवा 108 वर फोन करा. धोका टळला असेल, तर तुम्हाला काय हवे ते पुन्हा एकदा सांगा.

choose-first = कृपया आधी सांगा की तुम्हाला कोणते हवे आहे.
offer = { $complaint } साठी तुम्ही यापैकी एक घेऊ शकता. तुम्हाला कोणते हवे?
no-own-medicine = { $condition } साठी तुमचे कोणतेही औषध माझ्याकडे नोंदलेले नाही. कृपया औषधाचे नाव सांगा.
nothing-safe = { $complaint } साठी तुमच्यासाठी नक्की सुरक्षित असे औषध माझ्याकडे नाही. कृपया आमच्या फार्मासिस्टला किंवा डॉक्टरांना विचारा.
nothing-to-refill = तुमचे कोणतेही नेहमीचे औषध अजून नोंदलेले नाही. कृपया कोणती औषधे हवी ते सांगा.
no-order-yet = तुमची अजून कोणतीही ऑर्डर नाही.
track-awaiting-pharmacist = तुमची ऑर्डर { $order } ({ $names }) आमच्या फार्मासिस्टकडे तपासणीत आहे.
track-confirmed = तुमची ऑर्डर { $order } ({ $names }) नक्की झाली आहे आणि लवकरच पॅक होईल.
track-processing = तुमची ऑर्डर { $order } ({ $names }) पॅक होत आहे.
track-shipped = तुमची ऑर्डर { $order } ({ $names }) मार्गावर आहे.
track-delivered = तुमची ऑर्डर { $order } ({ $names }) पोहोचली आहे.
track-cancelled = तुमची ऑर्डर { $order } ({ $names }) रद्द झाली आहे.
track-failed = तुमची ऑर्डर { $order } ({ $names }) पोहोचवता आली नाही.
refill-supplied = { $product } आणखी { $days } दिवस पुरेल.
refill-due = { $product } { $days } दिवसांत संपेल.
refill-overdue = { $days ->
    [0] { $product } आज संपत आहे.
   *[other] { $product } { $days } दिवसांपूर्वी संपले.
}
refill-how = मागवण्यासाठी "माझी औषधे पुन्हा पाठवा" असे सांगा.
no-refills = तुम्ही नियमित घेता असे कोणतेही औषध शिल्लक दिसत नाही.
advice-allergy = { $product } बाबत काळजी: तुम्ही { $subject } ची अ‍ॅलर्जी सांगितली आहे. स्रोत: { $source }.
advice-interaction = { $product } आणि { $subject } एकत्र घेतल्यास परिणाम होऊ शकतो. स्रोत: { $source }.
advice-condition = { $product } साठी काळजी हवी: तुम्हाला { $subject } आहे. स्रोत: { $source }.
advice-age = { $product } { $subject } वर्षांखाली देत नाहीत. स्रोत: { $source }.
advice-duplicate-therapy = { $product } आणि { $subject } ही एकसारखी औषधे आहेत. स्रोत: { $source }.
advice-schedule-x = { $product } येथे विकले जात नाही. स्रोत: { $source }.
product-on-prescription = { $product } साठी डॉक्टरांची चिठ्ठी लागते.
advice-ask = घेण्याआधी कृपया आमच्या फार्मासिस्टला किंवा डॉक्टरांना विचारा.
advice-none = आमच्या नियमांत { $names } बद्दल तुमच्यासाठी काही अडचण नाही, पण हा वैद्यकीय सल्ला नाही. कृपया फार्मासिस्टला किंवा डॉक्टरांना विचारून घ्या.
too-many-items = ही { $most } पेक्षा जास्त वेगळी औषधे आहेत. कृपया दोन भागांत ऑर्डर करा.

finding-allergy = { $product } देता येत नाही किंवा काळजी हवी: तुम्ही { $subject } ची अ‍ॅलर्जी सांगितली आहे.
finding-interaction = { $product } आणि { $subject } एकत्र घेतल्यास परिणाम होऊ शकतो.
finding-condition = { $product } साठी काळजी हवी: तुम्हाला { $subject } आहे.
finding-age = { $product } { $subject } वर्षांखाली देत नाहीत.
finding-duplicate-therapy = { $product } आणि { $subject } ही एकसारखी औषधे आहेत.
finding-max-daily-dose = { $product } ची दिवसाची मात्रा मर्यादेपेक्षा जास्त होईल.
finding-prescription-required = { $product } साठी वैध प्रिस्क्रिप्शन लागते.
finding-schedule-x = { $product } येथे विकले जात नाही.
finding-quantity-limit = { $product } इतक्या प्रमाणात देता येत नाही.
finding-refill-too-soon = { $product } अजून { $subject } दिवस पुरेल.
finding-out-of-stock = { $product } इतक्या प्रमाणात उपलब्ध नाही.
finding-rules-unavailable = औषध तपासणीचे नियम सध्या उपलब्ध नाहीत.
finding-not-found = हे औषध आमच्या यादीत नाही.
