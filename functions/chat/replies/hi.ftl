# Hindi.

greeting = नमस्ते, मैं नेक्सस हूँ, आपकी फार्मेसी सहायक। बताइए आपको कौन सी दवा चाहिए और कितने पैक।
unclear = माफ़ कीजिए, मैं समझ नहीं पाई। कृपया दवा का नाम और कितने पैक चाहिए, बताइए।
noted = धन्यवाद, मैंने लिख लिया है।

proposal = मैंने आपका ऑर्डर तैयार किया है:
proposal-item = { $product }, { $packs } पैक, { NUMBER($total, minimumFractionDigits: 2) } रुपये।
proposal-total = कुल { NUMBER($total, minimumFractionDigits: 2) } रुपये।
proposal-waits = भेजने से पहले हमारे फार्मासिस्ट इसे जाँचेंगे।
ask-confirm = क्या मैं यह ऑर्डर दे दूँ? पक्का करने के लिए हाँ कहिए।
changed = ऑर्डर दिखाने के बाद कुछ बदल गया है, इसलिए मैंने इसे फिर से तैयार किया है।
expired = उस ऑर्डर का समय निकल गया, इसलिए मैंने इसे फिर से तैयार किया है।
note-rounded = { $product } की { $asked } इकाइयाँ पूरे पैक नहीं बनतीं, इसलिए मैंने { $packs } पैक यानी { $units } इकाइयाँ रखी हैं।
alternatives = इसकी जगह आप ये ले सकते हैं: { $names }।
nothing-ordered = कुछ भी ऑर्डर नहीं किया गया।

placed = आपका ऑर्डर { $order } हो गया है। कुल { NUMBER($total, minimumFractionDigits: 2) } रुपये।
placed-waiting = आपका ऑर्डर { $order } हो गया है। भेजने से पहले फार्मासिस्ट इसे जाँचेंगे। कुल { NUMBER($total, minimumFractionDigits: 2) } रुपये।
placed-before = यह ऑर्डर पहले ही हो चुका है। इसका नंबर { $order } है।
nothing-to-confirm = अभी कोई ऑर्डर पक्का करने के लिए नहीं है। बताइए आपको क्या चाहिए।
declined = ठीक है, मैंने कुछ भी ऑर्डर नहीं किया।
nothing-to-decline = ठीक है। अभी कोई ऑर्डर नहीं है।

questions-first = ऑर्डर देने से पहले मुझे एक और जवाब चाहिए।
ask-age = पहले ऑर्डर से पहले मुझे जानना है: मरीज़ की उम्र कितने साल है?
ask-allergies = पहले ऑर्डर से पहले मुझे जानना है: क्या मरीज़ को किसी दवा से एलर्जी है? अगर नहीं, तो कोई नहीं कहिए।
ask-conditions = पहले ऑर्डर से पहले मुझे जानना है: क्या मरीज़ को कोई बीमारी है, जैसे मधुमेह, दमा या गर्भावस्था? अगर नहीं, तो कोई नहीं कहिए।

which-one = { $name } कई तरह की है। आपको कौन सी चाहिए?
which-quantity = कृपया दवा का नाम और कितने पैक, दोनों साथ बताइए।
report = अगर किसी दवा से परेशानी हुई है, तो कृपया हमारे फार्मासिस्ट या अपने डॉक्टर को बताइए। ऑर्डर करना हो, तो दवा का नाम और कितने पैक बताइए।
how-many = { $product } के कितने पैक चाहिए? एक पैक में { $size } है।
is-it-wanted = क्या आपको { $name } मँगवानी है?
did-you-mean = मुझे पक्का नहीं पता कि { $name } क्या है। क्या आपका मतलब इनमें से किसी से है?
no-such-strength = जैसा आपने कहा वैसा { $name } हमारे पास नहीं है। ये हैं। आपको कौन सी चाहिए?
option = { $place }: { $product }, { $size }, { NUMBER($price, minimumFractionDigits: 2) } रुपये।
not-found = { $name } हमारी सूची में नहीं मिली।
ask-another-name = कृपया नाम जाँच लीजिए या कोई दूसरी दवा बताइए।

product-facts = { $manufacturer } की { $product } में { $ingredient } है और { $size } की कीमत { NUMBER($price, minimumFractionDigits: 2) } रुपये है। यह उपलब्ध है।
product-facts-out-of-stock = { $manufacturer } की { $product } में { $ingredient } है और { $size } की कीमत { NUMBER($price, minimumFractionDigits: 2) } रुपये है। यह अभी उपलब्ध नहीं है।
question-unknown = मैं कीमत और उपलब्धता बता सकती हूँ। इलाज के सवाल कृपया हमारे फार्मासिस्ट या अपने डॉक्टर से पूछिए।
for-someone-else = मैं केवल उसी व्यक्ति के लिए ऑर्डर कर सकती हूँ जिसका यह खाता है, क्योंकि हर दवा को उनकी उम्र, एलर्जी और बीमारियों से जाँचना ज़रूरी है। कृपया उनके खाते से साइन इन कीजिए।
emergency = यह आपात स्थिति लगती है। कृपया अभी 112 या 108 पर एम्बुलेंस के लिए फ़ोन कीजिए। अगर खुद को नुकसान पहुँचाने का विचार आ रहा है, तो टेली मानस 14416 पर बात कीजिए, वे दिन रात सुनते हैं। मैंने ऑर्डर रोक दिया है।
after-emergency = अगर आप या आपके साथ कोई ख़तरे में है, तो कृपया अभी 112 या 108 पर फ़ोन कीजिए। अगर ख़तरा टल गया है, तो एक बार फिर बताइए कि आपको क्या चाहिए।

choose-first = कृपया पहले बताइए कि आपको कौन सी चाहिए।
offer = { $complaint } के लिए आप इनमें से कोई एक ले सकते हैं। आपको कौन सी चाहिए?
no-own-medicine = { $condition } के लिए आपकी कोई दवा मेरे पास दर्ज नहीं है। कृपया दवा का नाम बताइए।
nothing-safe = { $complaint } के लिए मेरे पास ऐसी कोई दवा नहीं है जो आपके लिए पक्का सुरक्षित हो। कृपया हमारे फार्मासिस्ट या अपने डॉक्टर से पूछिए।
nothing-to-refill = आपकी कोई नियमित दवा अभी दर्ज नहीं है। कृपया बताइए कौन सी दवाएँ चाहिए।
no-order-yet = आपका अभी कोई ऑर्डर नहीं है।
track-awaiting-pharmacist = आपका ऑर्डर { $order } ({ $names }) हमारे फार्मासिस्ट की जाँच में है।
track-confirmed = आपका ऑर्डर { $order } ({ $names }) पक्का हो गया है और जल्दी पैक होगा।
track-processing = आपका ऑर्डर { $order } ({ $names }) पैक हो रहा है।
track-shipped = आपका ऑर्डर { $order } ({ $names }) रास्ते में है।
track-delivered = आपका ऑर्डर { $order } ({ $names }) पहुँच गया है।
track-cancelled = आपका ऑर्डर { $order } ({ $names }) रद्द हो गया है।
track-failed = आपका ऑर्डर { $order } ({ $names }) पहुँचाया नहीं जा सका।
refill-supplied = { $product } { $days } दिन और चलेगी।
refill-due = { $product } { $days } दिन में ख़त्म हो जाएगी।
refill-overdue = { $days ->
    [0] { $product } आज ख़त्म हो रही है।
   *[other] { $product } { $days } दिन पहले ख़त्म हो गई।
}
refill-how = मँगवाने के लिए "मेरी दवाएँ फिर से भेजो" कहें।
no-refills = आपकी नियमित दवाओं में से अभी कोई बाक़ी नहीं दिखती।
advice-allergy = { $product } में सावधानी: आपने { $subject } से एलर्जी बताई है। स्रोत: { $source }।
advice-interaction = { $product } और { $subject } साथ लेने पर असर हो सकता है। स्रोत: { $source }।
advice-condition = { $product } के लिए सावधानी: आपको { $subject } है। स्रोत: { $source }।
advice-age = { $product } { $subject } साल से कम उम्र में नहीं दी जाती। स्रोत: { $source }।
advice-duplicate-therapy = { $product } और { $subject } एक जैसी दवाएँ हैं। स्रोत: { $source }।
advice-schedule-x = { $product } यहाँ नहीं बेची जाती। स्रोत: { $source }।
product-on-prescription = { $product } के लिए डॉक्टर की पर्ची ज़रूरी है।
advice-ask = लेने से पहले कृपया हमारे फार्मासिस्ट या अपने डॉक्टर से पूछिए।
advice-none = हमारे नियमों में { $names } के बारे में आपके लिए कोई रोक नहीं है, पर यह डॉक्टरी सलाह नहीं है। कृपया फार्मासिस्ट या डॉक्टर से पूछ लीजिए।
too-many-items = यह { $most } से ज़्यादा अलग दवाएँ हैं। कृपया दो बार में ऑर्डर कीजिए।

finding-allergy = { $product } नहीं दे सकते या सावधानी ज़रूरी है: आपने { $subject } से एलर्जी बताई है।
finding-interaction = { $product } और { $subject } साथ लेने पर असर हो सकता है।
finding-condition = { $product } के लिए सावधानी: आपको { $subject } है।
finding-age = { $product } { $subject } साल से कम उम्र में नहीं दी जाती।
finding-duplicate-therapy = { $product } और { $subject } एक जैसी दवाएँ हैं।
finding-max-daily-dose = { $product } की दिन की मात्रा सीमा से ज़्यादा हो जाएगी।
finding-prescription-required = { $product } के लिए मान्य पर्ची ज़रूरी है।
finding-schedule-x = { $product } यहाँ नहीं बेची जाती।
finding-quantity-limit = { $product } इतनी मात्रा में नहीं दे सकते।
finding-refill-too-soon = { $product } अभी { $subject } दिन और चलेगी।
finding-out-of-stock = { $product } इतनी मात्रा में उपलब्ध नहीं है।
finding-rules-unavailable = दवाओं की जाँच के नियम अभी उपलब्ध नहीं हैं।
finding-not-found = यह दवा हमारी सूची में नहीं है।
