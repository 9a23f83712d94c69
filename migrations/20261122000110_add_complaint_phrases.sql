-- How people put the conditions and symptoms of the rule sets, in three languages and both scripts: words about
-- them, no rules. A phrase belongs to one condition; a longer one wins over one inside it ("pet dard" is no "dard").
-- Signs of an emergency (chest, breath, faint, blood) and complaints that no listed symptom means are left out.

-- A part of the body with what is wrong with it.
insert into public.complaint_phrases (phrase_key, condition)
select distinct on (private.normalise_name(part || ' ' || wrong)) private.normalise_name(part || ' ' || wrong), c.condition
from (values
  (
    'headache',
    array['head'],
    array['hurts', 'hurting', 'is hurting', 'ache', 'aches', 'aching', 'pain', 'pains', 'paining', 'throbbing', 'pounding',
      'splitting', 'bursting', 'heavy', 'dard']
  ),
  (
    'headache',
    array['sar', 'sir', 'ser', 'matha', 'maatha', 'doke', 'doka', 'dok'],
    array['dard', 'dukh', 'dukhta', 'dukhna', 'dukhane', 'dukhat', 'dukhata', 'dukhtay', 'dukhtoy', 'dukhtey', 'dukhte',
      'dukhi', 'dukhu', 'phat', 'bhari', 'thanakat', 'thankat']
  ),
  (
    'headache',
    array['सिर', 'सर', 'माथा', 'डोके', 'डोकं', 'डोक'],
    array['दर्द', 'दुख', 'दुखता', 'दुखना', 'दुखत', 'दुखतं', 'दुखतंय', 'दुखतय', 'दुखतोय', 'दुखतेय', 'दुखते', 'दुखी', 'दुखू',
      'फट', 'भारी', 'जड', 'ठणकत', 'ठणकतंय']
  ),
  (
    'body pain',
    array['body', 'back', 'neck', 'shoulder', 'shoulders', 'knee', 'knees', 'leg', 'legs', 'joint', 'joints', 'muscle',
      'muscles', 'tooth', 'teeth'],
    array['hurts', 'hurt', 'hurting', 'is hurting', 'ache', 'aches', 'aching', 'pain', 'pains', 'paining', 'cramps',
      'dard']
  ),
  (
    'body pain',
    array['badan', 'sharir', 'shareer', 'ang', 'angat', 'kamar', 'kambar', 'pith', 'peeth', 'path', 'gardan', 'kandha',
      'khanda', 'khande', 'ghutna', 'ghutne', 'ghutno', 'gudgha', 'gudghe', 'pair', 'pairo', 'pay', 'paay',
      'haath pair', 'hath pair', 'jodo', 'sandhe', 'daant', 'dant', 'daat'],
    array['dard', 'pain', 'dukh', 'dukhta', 'dukhti', 'dukhna', 'dukhat', 'dukhata', 'dukhtay', 'dukhtoy', 'dukhtey',
      'dukhte', 'dukhatat', 'dukhtat', 'dukhi', 'toot', 'akad', 'jakad', 'thanakat']
  ),
  (
    'body pain',
    array['बदन', 'शरीर', 'अंग', 'अंगात', 'कमर', 'कंबर', 'पीठ', 'पाठ', 'गर्दन', 'मान', 'कंधा', 'कंधे', 'खांदा', 'खांदे',
      'घुटना', 'घुटने', 'घुटनों', 'गुडघा', 'गुडघे', 'पैर', 'पैरों', 'पाय', 'हाथ पैर', 'हातपाय', 'जोडों', 'सांधे',
      'दांत', 'दाँत', 'दात'],
    array['दर्द', 'दुख', 'दुखता', 'दुखती', 'दुखते', 'दुखत', 'दुखतं', 'दुखतंय', 'दुखतय', 'दुखतोय', 'दुखतेय', 'दुखतात',
      'दुखतायत', 'दुखी', 'टूट', 'अकड', 'जकड', 'ठणकत', 'आखडली', 'आखडलं']
  ),
  (
    'acidity',
    array['stomach', 'tummy', 'belly', 'abdomen'],
    array['hurts', 'hurting', 'is hurting', 'ache', 'aches', 'aching', 'pain', 'pains', 'paining', 'burning', 'burns',
      'bloated', 'gas', 'dard', 'jalan']
  ),
  (
    'acidity',
    array['pet', 'pait', 'pot', 'potat'],
    array['dard', 'pain', 'dukh', 'dukhta', 'dukhat', 'dukhata', 'dukhtay', 'dukhtey', 'dukhte', 'dukhi', 'gas', 'jalan',
      'jal', 'jaljal', 'phool', 'phula', 'phoola', 'phul', 'fool', 'fula', 'fugle', 'fuglay', 'fugla', 'phugle',
      'gubbar']
  ),
  (
    'acidity',
    array['पेट', 'पोट', 'पोटात'],
    array['दर्द', 'दुख', 'दुखता', 'दुखत', 'दुखतं', 'दुखतंय', 'दुखतय', 'दुखतेय', 'दुखते', 'दुखी', 'जलन', 'जल', 'जळजळ',
      'जळतंय', 'फूल', 'फुला', 'फूला', 'फुगले', 'फुगलं', 'फुगलंय', 'फुगलय', 'गॅस', 'गैस']
  ),
  (
    'cold',
    array['nose'],
    array['blocked', 'block', 'is blocked', 'stuffed', 'stuffy', 'running', 'is running', 'runny', 'runs', 'congested',
      'dripping', 'closed', 'jammed', 'band']
  ),
  (
    'cold',
    array['naak', 'nak'],
    array['block', 'band', 'bund', 'bandh', 'jam', 'beh', 'behti', 'behta', 'behna', 'bah', 'bahti', 'bahna', 'tapak',
      'chondla', 'chondle', 'chondlay', 'galat', 'galtay', 'galte', 'vahat', 'vahte', 'vahtay', 'wahtay']
  ),
  (
    'cold',
    array['नाक'],
    array['बंद', 'जाम', 'बह', 'बहती', 'बहना', 'टपक', 'चोंदले', 'चोंदलं', 'चोंदलंय', 'चोंदलय', 'गळत', 'गळतं', 'गळतंय',
      'गळतय', 'गळते', 'वाहत', 'वाहते', 'वाहतंय', 'वाहतय']
  ),
  (
    'cough',
    array['throat'],
    array['hurts', 'hurting', 'is hurting', 'ache', 'pain', 'paining', 'sore', 'is sore', 'scratchy', 'itchy',
      'irritation', 'irritated', 'infection', 'dry', 'kharab']
  ),
  (
    'cough',
    array['gala', 'gale', 'galaa', 'ghasa', 'ghashat'],
    array['dard', 'pain', 'dukh', 'dukhta', 'dukhat', 'dukhtay', 'dukhtoy', 'dukhto', 'kharab', 'kharash', 'khich khich',
      'khichkhich', 'baith', 'baitha', 'sukh', 'sukha', 'jalan', 'chhil', 'basla', 'baslay', 'khavkhav', 'khavkhavto']
  ),
  (
    'cough',
    array['गला', 'गले', 'घसा', 'घशात'],
    array['दर्द', 'दुख', 'दुखता', 'दुखत', 'दुखतो', 'दुखतोय', 'दुखतंय', 'खराब', 'खराश', 'खरास', 'खिचखिच', 'खिच खिच', 'बैठ',
      'बैठा', 'सूख', 'सूखा', 'जलन', 'बसला', 'बसलाय', 'खवखवतो', 'खवखवतोय', 'खवखव']
  )
) as c (condition, parts, wrongs)
cross join unnest(c.parts) as part
cross join unnest(c.wrongs) as wrong
order by private.normalise_name(part || ' ' || wrong), c.condition
on conflict (phrase_key) do nothing;

-- English puts the pain first as often.
insert into public.complaint_phrases (phrase_key, condition)
select private.normalise_name(pain || ' ' || part), c.condition
from (values
  ('headache', array['head']),
  ('body pain', array['body', 'back', 'neck', 'shoulder', 'shoulders', 'knee', 'knees', 'leg', 'legs', 'joints', 'muscles', 'tooth', 'teeth']),
  ('acidity', array['stomach', 'tummy', 'belly', 'abdomen', 'pet', 'पेट'])
) as c (condition, parts)
cross join unnest(c.parts) as part
cross join unnest(array['pain in', 'pain my', 'ache in', 'dard', 'दर्द']) as pain
on conflict (phrase_key) do nothing;

-- The rest as it is said.
insert into public.complaint_phrases (phrase_key, condition)
select distinct on (private.normalise_name(phrase)) private.normalise_name(phrase), c.condition
from (values
  ('fever', array[
    'fevers', 'fevar', 'fevr', 'feber', 'feevar', 'temp', 'high temp', 'high temperature', 'temperature is high', 'burning up', 'body is warm',
    'body is burning', 'chills', 'shivering',
    'bukhar', 'bukhaar', 'bukar', 'bhukhar', 'bukhar jaisa', 'viral bukhar', 'jwar', 'hararat',
    'badan garam', 'badan tap', 'body garam', 'sharir garam', 'matha garam', 'tap raha', 'tap rahi',
    'taap', 'tap aala', 'tap aalay', 'taap alay', 'taap yetoy', 'taap yeto', 'taap bharla', 'tapavar', 'ang garam',
    'ang tapla', 'ang taplay', 'ang kaskas', 'kankan', 'thandi vajte', 'thandi vajtey', 'thandi vajun',
    'ज्वर', 'हरारत', 'बुखार जैसा', 'बदन गरम', 'शरीर गरम', 'बदन तप', 'तप रहा', 'तप रही', 'फीवर',
    'ताप येतो', 'ताप येतोय', 'ताप भरला', 'ताप चढला', 'तापावर', 'तापाचं', 'अंग तापलं', 'अंग तापलंय', 'अंग गरम', 'कणकण',
    'कसकस', 'थंडी वाजते', 'थंडी वाजतेय', 'थंडी वाजून'
  ]),
  ('headache', array[
    'headaches', 'head ache', 'headche', 'headake', 'hedake', 'migraines', 'migrane', 'heavy head', 'heaviness in head',
    'sirdard', 'sardukhi', 'dokedukhi', 'dokydukhi', 'doke dukhi', 'dokedukhivar', 'adhasisi', 'adha sisi',
    'ardhashishi', 'ardhshishi',
    'सरदर्द', 'सिर में दर्द', 'माइग्रेन', 'मायग्रेन', 'आधासीसी', 'हेडेक', 'डोकेदुखीवर', 'डोकदुखी', 'डोकं दुखी', 'अर्धशिशी'
  ]),
  ('body pain', array[
    'bodyache', 'body aches', 'back ache', 'backpain', 'lower back pain', 'toothache', 'tooth ache', 'muscle cramp',
    'muscle cramps', 'leg cramps', 'period cramps', 'period pain', 'menstrual cramps', 'sprain', 'sprained',
    'arthritis', 'pain relief', 'painkiller', 'pain killer', 'painkillers', 'pain killers',
    'badandard', 'angdukhi', 'kamardard', 'kambardukhi', 'pathdukhi', 'gudghedukhi', 'sandhedukhi', 'sandhivat',
    'moch', 'moch aa', 'gathiya', 'dard nivarak', 'dard ki goli', 'dard ki dawai', 'dard ho', 'dukhat aahe', 'dukhtay',
    'vedna', 'mahavari dard',
    'दर्द निवारक', 'दर्द की गोली', 'दर्द की दवा', 'मोच', 'गठिया', 'अंगदुखी', 'अंगदुखीवर', 'कंबरदुखी', 'पाठदुखी',
    'गुडघेदुखी', 'सांधेदुखी', 'संधिवात', 'दातदुखी', 'मानदुखी', 'वेदना', 'मुरगळला', 'मुरगळलं', 'पाय मुरगळला', 'लचकली',
    'कंबर लचकली'
  ]),
  ('cold', array[
    'colds', 'common cold', 'runny nose', 'blocked nose', 'stuffed nose', 'congestion', 'nasal congestion',
    'congested', 'sinus', 'sinusitis', 'sniffles', 'sneezing', 'sneeze', 'nonstop sneezing',
    'sardi', 'sardee', 'sardi lag', 'sardi ho', 'sardi khansi', 'zukaam', 'jukaam', 'zukhaam', 'nazla', 'najla',
    'chheenk', 'chheenke', 'chhink', 'chhinke', 'cheenke', 'naak se pani', 'nak se pani', 'thand lag gayi',
    'sardi zali', 'sardi jhali', 'padse', 'padsa', 'shinka', 'shinka yetat', 'shinka yetayt', 'nakatun pani', 'sardivar',
    'सर्दी लग', 'सर्दी जुकाम', 'नजला', 'छींक', 'छींकें', 'छींके', 'नाक से पानी', 'ठंड लग गई', 'कोल्ड',
    'सर्दी झाली', 'सर्दी झालीय', 'सर्दीवर', 'पडसं', 'पडसे', 'शिंका', 'शिंका येत', 'शिंका येतात', 'शिंका येतायत',
    'नाकातून पाणी'
  ]),
  ('cough', array[
    'coughs', 'cof', 'couf', 'caugh', 'coughing', 'coff', 'kough', 'dry cough', 'wet cough', 'hoarse', 'hoarse voice', 'hoarseness',
    'throat infection', 'throat pain', 'itchy throat', 'phlegm', 'mucus', 'tickle in throat',
    'khaansi', 'khaasi', 'khanshi', 'kaansi', 'khansi aa', 'sukhi khansi', 'balgam', 'balgham', 'kaf', 'kaf ho',
    'awaz baith', 'aawaz baith',
    'khokla', 'khokala', 'khoklaa', 'khoklya', 'khoklyavar', 'korda khokla', 'khokla yetoy', 'khokla zala', 'avaj basla',
    'खाँसी', 'खासी', 'सूखी खांसी', 'बलगम', 'कफ', 'आवाज बैठ', 'खोकला', 'खोकल्या', 'खोकल्यावर', 'खोकल्याचं',
    'कोरडा खोकला', 'खोकला झाला', 'खोकला येतो', 'खोकला येतोय', 'आवाज बसला', 'कफ झाला'
  ]),
  ('allergy', array[
    'allergies', 'allergie', 'alergy', 'itch', 'itchiness', 'itchy skin', 'itchy eyes', 'skin itching', 'rashes',
    'skin rash', 'hives', 'watery eyes', 'dust allergy', 'skin allergy',
    'khujli', 'khujali', 'khujlee', 'kharish', 'khaarish', 'khaj', 'khaaj', 'khaj yete', 'khaj yetey', 'khaaj yete',
    'khaj sutli', 'khaj sutte', 'angavar khaj', 'pitti', 'pitti nikli', 'chakatte', 'lal chakatte', 'pural',
    'angavar pural', 'angavar pitta', 'angavar pitt',
    'खुजली हो', 'खारिश', 'पित्ती', 'चकत्ते', 'लाल चकत्ते', 'रैश', 'रॅश', 'पुरळ', 'पुरळ आलं', 'अंगावर पुरळ',
    'अंगावर पित्त', 'अंगाला खाज', 'खाज येत', 'खाज सुटली', 'खाज सुटते', 'ऍलर्जी', 'अॅलर्जी', 'ॲलर्जी', 'अलर्जी'
  ]),
  ('acidity', array[
    'acidty', 'acid reflux', 'reflux', 'gerd', 'heart burn', 'heartburns', 'gastritis', 'gastric trouble',
    'gastric problem', 'gas problem', 'gas trouble', 'bloating', 'bloated', 'burping', 'burp', 'belching',
    'indigestion', 'not digesting', 'sour burps', 'stomachache', 'tummyache', 'bellyache', 'stomach cramps',
    'stomach burning', 'burning in stomach', 'antacid', 'antacids',
    'gais', 'gaes', 'gas ban', 'gas ho', 'gas ho gayi', 'gas hui', 'gas ki goli', 'pet me gas', 'asiditi',
    'acidity ho', 'khatta dakar', 'khatti dakar', 'khatte dakar', 'khatti dakaar', 'dakar', 'dakaar', 'apach',
    'apachan', 'badhazmi', 'badhajmi', 'badhazami', 'badahazmi', 'hazam nahi', 'hajam nahi',
    'pitta', 'pitt', 'pitta zala', 'pitta zalay', 'pitta vadhla', 'ambat dhekar', 'aambat dhekar', 'karpat dhekar',
    'dhekar', 'ajirna', 'apchan', 'gas zala', 'gas zalay', 'potdukhi', 'jaljal hote', 'jaljal hotey', 'pachat nahi',
    'एसिड', 'अपच', 'अपचन', 'बदहजमी', 'बदहज्मी', 'डकार', 'खट्टी डकार', 'खट्टी डकारें', 'खट्टे डकार', 'हजम नहीं',
    'गैस बन', 'गैस हो', 'गैस की गोली',
    'ऍसिडिटी', 'अॅसिडिटी', 'ॲसिडिटी', 'अ‍ॅसिडिटी', 'आम्लपित्त', 'पित्त झालं', 'पित्त झाले', 'पित्त वाढलं', 'आंबट ढेकर',
    'करपट ढेकर', 'ढेकर', 'अजीर्ण', 'गॅस', 'गॅस झाला', 'गॅस झालाय', 'गॅसेस', 'पोटदुखी', 'पोटदुखीवर', 'पोटात गॅस',
    'जळजळ होते', 'जळजळ होतेय', 'पचत नाही'
  ]),
  ('diarrhoea', array[
    'diarhea', 'diarhoea', 'diarrea', 'diarea', 'diaria', 'diarreah', 'diahrea', 'dairrhea', 'motions', 'lose motion',
    'lose motions', 'loos motion', 'loose stool', 'loose stools', 'watery stool', 'watery stools', 'upset tummy',
    'stomach upset', 'tummy upset', 'upset belly', 'runny tummy', 'runny stomach',
    'dast', 'daste', 'dast lag', 'dast ho', 'patle dast', 'patla dast', 'patli latrine', 'motion lag', 'motion ho',
    'loose motion ho', 'pet chal', 'pet kharab', 'pet gadbad', 'pet gadbada', 'pet khrab',
    'julab', 'julaab', 'zulab', 'julab hot', 'julab hotayt', 'julab lagle', 'julab zale', 'hagwan', 'hagvan',
    'pot bighadle', 'pot bighadlay', 'pot bighadla', 'pot kharab', 'pot bighdle', 'patal sandas', 'patal shauch',
    'दस्त लग', 'पतले दस्त', 'लूज मोशन', 'लूज मोशंस', 'डायरिया', 'पेट चल', 'पेट गडबड', 'जुलाब होत', 'जुलाब झाले',
    'जुलाब लागले', 'हगवण', 'अतिसार', 'पोट बिघडलं', 'पोट बिघडलंय', 'पोट बिघडलय', 'पोट खराब', 'पातळ शौच', 'पातळ संडास',
    'मोशन लागले'
  ]),
  ('constipation', array[
    'constipated', 'constipate', 'hard stool', 'hard stools', 'no bowel movement', 'bowels not moving', 'cant poop',
    'can t poop', 'not able to poop', 'cannot poop', 'unable to poop', 'cant pass stool', 'cannot pass stool',
    'not passing stool', 'not passing motion', 'motion not coming', 'no motions', 'motion tight', 'laxative',
    'kabz', 'kabj', 'kabaj', 'kabaz', 'kabzi', 'kabji', 'qabz', 'kabjiyat', 'kabziyat', 'motion nahi',
    'motion nahi ho', 'motion nahi aa', 'motion nai', 'motions nahi', 'latrine nahi', 'latrine nahi ho', 'latrine nai',
    'potty nahi', 'potty nahi ho', 'potty nai', 'toilet nahi ho', 'tatti nahi', 'pet saaf nahi', 'pet saf nahi',
    'pet saaf nai', 'pet saaf nahin', 'pet sahi nahi',
    'baddhakoshta', 'badhakoshtha', 'baddhakoshthata', 'malavrodh', 'malavarodh', 'motion hot nahi',
    'motion hot nahiye', 'sandas hot nahi', 'sandas la hot nahi', 'sandasla hot nahi', 'shauchala hot nahi',
    'pot saaf hot nahi', 'pot saf nahi', 'pot saf zale nahi', 'pot saaf nahi',
    'कब्ज हो', 'कब्जियत', 'मोशन नहीं', 'पेट साफ नही', 'लैट्रिन नहीं', 'टट्टी नहीं', 'पॉटी नहीं', 'मलावरोध',
    'बद्धकोष्ठ', 'संडास होत नाही', 'संडासला होत नाही', 'संडासला होत नाहीये', 'शौचाला होत नाही', 'शौचास होत नाही',
    'शौच होत नाही', 'पोट साफ नाही', 'पोट साफ होत नाहीये', 'मोशन होत नाही'
  ]),
  ('vitamins', array[
    'vitamin deficiency', 'vitamin tablets', 'feeling weak', 'feel weak', 'feels weak', 'body weakness',
    'general weakness', 'weekness', 'tiredness', 'always tired', 'feeling tired', 'feel tired', 'fatigue', 'fatigued',
    'no energy', 'low energy', 'lack of energy',
    'kamzori', 'kamjori', 'kamzoree', 'kamjoree', 'kamzor', 'thakan', 'thakaan', 'thakavat', 'thakawat', 'takat nahi',
    'taqat nahi', 'takat ki', 'energy nahi', 'vitamin ki kami',
    'ashakt', 'ashaktpana', 'ashaktapana', 'thakva', 'thakwa', 'takad nahi', 'kamjor',
    'विटामिन की कमी', 'थकान', 'थकावट', 'ताकत की', 'ताकत नहीं', 'कमजोर', 'जीवनसत्त्व', 'अशक्त', 'थकवा', 'थकवा जाणवतो',
    'थकवा येतो', 'ताकद नाही', 'अंगात ताकद नाही'
  ]),
  ('wound', array[
    'wounds', 'cuts', 'a cut', 'cut my finger', 'cut my hand', 'cut finger', 'scratched', 'graze',
    'antiseptic',
    'chot', 'choat', 'chot lag', 'chot lagi', 'zakhm', 'zakham', 'jakham', 'jakhm', 'ghav', 'ghaav', 'kharoch',
    'kat gaya', 'kat gayi', 'ungli kat', 'hath kat', 'haath kat', 'chhil gaya', 'chhil gayi',
    'jakhma', 'jakham zali', 'bot kaple', 'bot kapla', 'haat kapla', 'kharchatle', 'kharchatla',
    'चोट लग', 'चोट लगी', 'घाव', 'जख्म', 'खरोंच', 'कट गया', 'कट गई', 'छिल गया', 'जखम झाली', 'जखमेवर', 'कापले', 'कापलं',
    'कापलंय', 'बोट कापले', 'बोट कापलं', 'खरचटले', 'खरचटलं', 'खरचटलंय'
  ]),
  ('fungal', array[
    'fungus', 'fungal infection', 'ring worm', 'jock itch', 'athletes foot', 'athlete s foot', 'tinea',
    'yeast infection on skin',
    'daad khaj', 'daad khujli', 'dad khaj', 'daad ho', 'phangal', 'fangal', 'gajkarna', 'gajakarna', 'nayta', 'naayta',
    'burshi',
    'दाद खाज', 'दाद खुजली', 'फंगल', 'फंगस', 'गजकर्ण', 'नायटा', 'बुरशी', 'बुरशीजन्य'
  ]),
  ('diabetes', array[
    'diabetis', 'diabities', 'diabeties', 'diabites', 'dibetes', 'diabetese', 'blood sugar', 'high sugar',
    'sugar level', 'sugar control', 'sugar patient', 'shugar', 'suger',
    'sugar ki goli', 'sugar ki dawa', 'sugar ki bimari', 'sugar badh', 'madhumeh', 'sugar chi goli', 'sugarchi goli',
    'sugar che aushadh', 'sakharechi goli', 'saakharechi goli',
    'डायबेटीज', 'डायबेटिस', 'डायबिटिस', 'डायबेटीस', 'डाइबिटीज', 'ब्लड शुगर', 'शुगर की बीमारी', 'शुगर की गोली',
    'शुगरची गोळी', 'साखरेची गोळी', 'मधुमेहावर', 'मधुमेहाची'
  ]),
  ('hypertension', array[
    'high bp', 'bp high', 'high blood pressure', 'bloodpressure', 'blood presure', 'hypertention', 'hypertensive', 'b p',
    'bp ki dawa', 'bp ki dawai', 'bp ki medicine', 'bp badh', 'raktachap', 'uchch raktachap', 'raktdab', 'raktadab',
    'bp chi goli', 'bpchi goli', 'bp che aushadh', 'raktadabachi goli',
    'हाई बीपी', 'बीपी की दवा', 'बीपी की गोली', 'रक्तचाप', 'हाई ब्लड प्रेशर', 'उच्च रक्तदाब', 'बीपीची गोळी',
    'बीपीचं औषध', 'रक्तदाबाची गोळी', 'ब्लडप्रेशर'
  ]),
  ('cholesterol', array[
    'cholestrol', 'cholesterole', 'colestrol', 'colesterol', 'kolestrol', 'kolesterol', 'high cholesterol', 'lipid',
    'lipid profile', 'triglycerides',
    'कोलेस्टेरॉल', 'कोलेस्टरॉल', 'कोलेस्ट्रोल', 'कॉलेस्ट्रॉल', 'कॉलेस्टेरॉल'
  ]),
  ('thyroid', array[
    'thyriod', 'thairoid', 'thairaid', 'thayroid', 'thyroide', 'tyroid', 'hypothyroid', 'hypothyroidism',
    'थाइराइड', 'थायरॉइड', 'थाइरॉइड', 'थायरॉयड', 'थायरोइड', 'थायरॉइडची गोळी'
  ]),
  ('asthma', array[
    'asthama', 'astma', 'ashtma', 'athma', 'asthmatic', 'dama', 'dame ki', 'dama ki', 'dame ka', 'damyachi',
    'damyache', 'damyache aushadh',
    'दमे', 'दमे की', 'दम्याची', 'दम्याचं', 'दम्याचे', 'अस्थमा की', 'ॲस्थमा', 'अॅस्थमा', 'दमा आहे'
  ]),
  ('heart', array[
    'heart disease', 'heart problem', 'heart condition', 'heart patient', 'heart tablets', 'heart tablet',
    'heart medicine', 'dil ki dawa', 'dil ki dawai', 'dil ki goli', 'dil ki bimari', 'hriday', 'hruday', 'hridayvikar',
    'दिल की बीमारी', 'दिल की दवा', 'दिल की दवाई', 'दिल की गोली', 'हृदयविकार', 'हृदयरोग', 'हार्ट', 'हार्ट की'
  ]),
  ('depression', array[
    'antidepressant', 'antidepressants', 'anti depressant', 'anti depressants', 'mood pills', 'mood medicine',
    'dipression', 'depresion', 'depression ki goli', 'udasi ki dawa', 'nairashya', 'nairashyachi goli',
    'अवसाद', 'अवसाद की दवा', 'डिप्रेशनची गोळी', 'नैराश्याची गोळी', 'नैराश्यावर'
  ]),
  ('epilepsy', array[
    'epilepsi', 'epilepcy', 'anti epileptic', 'anti seizure', 'epileptic tablets', 'mirgi ki', 'mirgee',
    'mirgi ki dawa', 'fits ki goli', 'fits chi goli', 'apasmar', 'akadichi goli',
    'मिर्गी की दवा', 'मिरगी', 'अपस्मार', 'अपस्मारची गोळी', 'अपस्माराची गोळी', 'आकडीची गोळी', 'फिट्सची गोळी', 'फिटची गोळी'
  ])
) as c (condition, phrases)
cross join unnest(c.phrases) as phrase
where private.normalise_name(phrase) <> ''
order by private.normalise_name(phrase), c.condition
on conflict (phrase_key) do nothing;
