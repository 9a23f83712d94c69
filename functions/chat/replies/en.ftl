# English. Plain sentences that read well aloud; amounts are in rupees.

greeting = Hello, I am Nexus, your pharmacy assistant. Tell me which medicines you need and how many packs.
unclear = Sorry, I did not understand that. Please tell me the name of the medicine and how many packs you need.
noted = Thank you, I have noted that.

proposal = I have prepared this order for you:
proposal-item = { $packs ->
    [one] { $product }, 1 pack, { NUMBER($total, minimumFractionDigits: 2) } rupees.
   *[other] { $product }, { $packs } packs, { NUMBER($total, minimumFractionDigits: 2) } rupees.
}
proposal-total = The total is { NUMBER($total, minimumFractionDigits: 2) } rupees.
proposal-waits = A pharmacist will check it before it is sent.
ask-confirm = Shall I place this order? Please say yes to confirm.
changed = Something has changed since I showed you the order, so I have prepared it again.
expired = That offer has expired, so I have prepared it again.
note-rounded = { $asked } units of { $product } are not whole packs, so I rounded up to { $packs } packs with { $units } units.
alternatives = Instead you could take: { $names }.
nothing-ordered = Nothing was ordered.

placed = Your order { $order } is placed. The total is { NUMBER($total, minimumFractionDigits: 2) } rupees.
placed-waiting = Your order { $order } is placed. A pharmacist will check it before it is sent. The total is { NUMBER($total, minimumFractionDigits: 2) } rupees.
placed-before = This order is already placed. Its number is { $order }.
nothing-to-confirm = There is no order waiting for your confirmation. Tell me what you need.
declined = All right, I have not ordered anything.
nothing-to-decline = All right. There is no order waiting.

questions-first = I need one more answer before I can place this order.
ask-age = Before the first order I need to know: how old is the patient, in years?
ask-allergies = Before the first order I need to know: is the patient allergic to any medicine? Say none if not.
ask-conditions = Before the first order I need to know: does the patient have any illness or condition, for example diabetes, asthma or pregnancy? Say none if not.

which-one = There are several kinds of { $name }. Which one do you need?
which-quantity = Please tell me the medicine together with the number of packs.
report = If a medicine did not agree with you, please tell our pharmacist or your doctor. If you want to order, tell me which medicine and how many packs.
how-many = How many packs of { $product } do you need? One pack is { $size }.
is-it-wanted = Do you want to order { $name }?
did-you-mean = I am not sure what { $name } is. Did you mean one of these?
no-such-strength = We do not have { $name } as you asked for it. We have these. Which one do you need?
option = { $place }: { $product }, { $size }, { NUMBER($price, minimumFractionDigits: 2) } rupees.
not-found = I could not find { $name } in our catalogue.
ask-another-name = Please check the name, or tell me another medicine.

product-facts = { $product } by { $manufacturer } contains { $ingredient } and costs { NUMBER($price, minimumFractionDigits: 2) } rupees for { $size }. It is in stock.
product-facts-out-of-stock = { $product } by { $manufacturer } contains { $ingredient } and costs { NUMBER($price, minimumFractionDigits: 2) } rupees for { $size }. It is out of stock now.
question-unknown = I can tell you about prices and stock. For medical questions please ask our pharmacist or your doctor.
for-someone-else = I can only order for the person this account belongs to, because I must check each medicine against their own age, allergies and illnesses. Please sign in with an account for them.
emergency = This sounds like an emergency. Please call 112 or 108 for an ambulance now. If you are thinking of harming yourself, call Tele-MANAS at 14416; they listen day and night. I have stopped the order.
after-emergency = If you or someone with you is in danger, please call 112 or 108 now. If the danger is over, tell me once more what you need.

choose-first = Please tell me first which one you mean.
offer = For { $complaint } you could take one of these. Which one do you want?
no-own-medicine = I have no medicine of yours on record for { $condition }. Please tell me its name.
nothing-safe = For { $complaint } I have nothing that is surely safe for you. Please ask our pharmacist or your doctor.
nothing-to-refill = I do not see any regular medicines of yours yet. Please tell me which medicines you need.
no-order-yet = You have no orders yet.
track-awaiting-pharmacist = Your order { $order } with { $names } is waiting for our pharmacist.
track-confirmed = Your order { $order } with { $names } is confirmed and will be packed soon.
track-processing = Your order { $order } with { $names } is being packed.
track-shipped = Your order { $order } with { $names } is on its way.
track-delivered = Your order { $order } with { $names } was delivered.
track-cancelled = Your order { $order } with { $names } was cancelled.
track-failed = Your order { $order } with { $names } could not be delivered.
refill-supplied = { $product } lasts { $days ->
    [one] { $days } more day
   *[other] { $days } more days
}.
refill-due = { $product } runs out in { $days ->
    [one] { $days } day
   *[other] { $days } days
}.
refill-overdue = { $product } { $days ->
    [0] runs out today
    [one] ran out { $days } day ago
   *[other] ran out { $days } days ago
}.
refill-how = To order what is due, say "refill my medicines".
no-refills = I see no medicine that you take regularly and have left.
advice-allergy = { $message } Source: { $source }.
advice-interaction = { $message } Source: { $source }.
advice-condition = { $message } Source: { $source }.
advice-age = { $message } Source: { $source }.
advice-duplicate-therapy = { $message } Source: { $source }.
advice-schedule-x = { $message } Source: { $source }.
product-on-prescription = { $product } needs a prescription.
advice-ask = Please ask our pharmacist or your doctor before you take it.
advice-none = Our rules list nothing against { $names } for you, but that is no medical advice. Please ask our pharmacist or your doctor to be sure.
too-many-items = That is more than { $most } different medicines. Please order them in two parts.
