// What the page says for the patient in their language, and what it offers to be said.

export const LANGUAGES = [["en", "English"], ["hi", "हिन्दी"], ["mr", "मराठी"]];

const PHRASES = {
  en: {
    hello: "Hello {name}, what do you need?",
    placeholder: "2 strips of Dolo 650 …",
    confirm: "Yes, confirm",
    decline: "No, thanks",
    change: "make {name} {packs} packs",
    remove: "remove {name}",
    placed: "Your order is placed.",
    waits: "Your order is placed. A pharmacist looks at it before it is sent.",
    words: { confirm: "Confirm order", decline: "Not now", total: "Total", remove: "Remove", change: "Change", instead: "Instead", left: "Left out", each: "each", waits: "A pharmacist looks at this order before it is sent.", call: "Call", rx: "Prescription", tracking: "Tracking number" },
  },
  hi: {
    hello: "नमस्ते {name}, आपको क्या चाहिए?",
    placeholder: "डोलो की दो पट्टी …",
    confirm: "हाँ, ऑर्डर कर दो",
    decline: "नहीं, रहने दो",
    change: "{name} {packs} पैकेट कर दो",
    remove: "{name} हटा दो",
    placed: "आपका ऑर्डर दे दिया गया है।",
    waits: "आपका ऑर्डर दे दिया गया है। भेजने से पहले फार्मासिस्ट इसे देखेंगे।",
    words: { confirm: "ऑर्डर पक्का करें", decline: "अभी नहीं", total: "कुल", remove: "हटाएँ", change: "बदलें", instead: "इसके बदले", left: "शामिल नहीं", each: "प्रति पैक", waits: "भेजने से पहले फार्मासिस्ट यह ऑर्डर देखेंगे।", call: "फ़ोन करें", rx: "पर्ची ज़रूरी", tracking: "ट्रैकिंग नंबर" },
  },
  mr: {
    hello: "नमस्कार {name}, तुम्हाला काय हवं आहे?",
    placeholder: "डोलोच्या दोन पट्ट्या …",
    confirm: "होय, ऑर्डर करा",
    decline: "नको, राहू द्या",
    change: "{name} {packs} पाकीट करा",
    remove: "{name} काढून टाका",
    placed: "तुमची ऑर्डर दिली आहे.",
    waits: "तुमची ऑर्डर दिली आहे. पाठवण्याआधी फार्मासिस्ट ती पाहतील.",
    words: { confirm: "ऑर्डर नक्की करा", decline: "आत्ता नको", total: "एकूण", remove: "काढा", change: "बदला", instead: "याऐवजी", left: "वगळले", each: "प्रति पॅक", waits: "पाठवण्याआधी फार्मासिस्ट ही ऑर्डर पाहतील.", call: "फोन करा", rx: "चिठ्ठी लागते", tracking: "ट्रॅकिंग नंबर" },
  },
};

export const phrases = (language) => PHRASES[language];

export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export const SAMPLES = {
  en: ["2 strips of Dolo 650 and one ORS", "crocin", "my usual medicines", "azithromycin", "something for a headache", "can I take ibuprofen with warfarin?", "where is my order?"],
  hi: ["डोलो की दो पट्टी", "मुझे क्रोसिन चाहिए", "मेरी रोज़ की दवाइयाँ", "azithromycin chahiye", "सिर दर्द की दवा", "मेरा ऑर्डर कहाँ है?"],
  mr: ["डोलोच्या दोन पट्ट्या पाहिजेत", "मला क्रोसिन हवी आहे", "माझी नेहमीची औषधे", "डोकेदुखीसाठी काहीतरी", "माझी ऑर्डर कुठे आहे?"],
};
