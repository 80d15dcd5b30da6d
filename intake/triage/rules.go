package triage

// rule is something that matters, in the words people use for it.
type rule struct {
	code     string
	level    Level
	sentence string
	phrases  []string
}

// rules are looked for in every text, whatever its language is taken to be:
// people mix languages, and most of all under stress. Polish is written here with
// its marks and found without them too.
var rules = []rule{
	{"words.suicide", RiskToLife, "Somebody may take their own life.", []string{
		"suicid*", "kill|killing|hurt|hurting|harm|harming myself", "kill|killing himself|herself|themselves|themself",
		"end my life", "ending my life", "take|taking my own life", "want|wants|wanted to die", "dont|don't want to live",
		"no reason to live", "better off dead", "better off without me", "cant|can't go on living", "taken an overdose", "took an overdose", "goodbye note",
		"samobójstw*", "samobójcz*", "chcę umrzeć", "nie chcę|chce żyć", "zabić|zabiję się", "się zabić|zabiję",
		"odebrać|odbiorę sobie życie", "skończyć|skończę ze sobą", "połknął*|połknęła tabletk*",
		"আত্মহত্যা*", "মরে যেতে চাই|চায়", "মরতে চাই|চায়", "বাঁচতে চাই না", "বাঁচতে ইচ্ছা করে না", "নিজেকে শেষ করে*", "নিজেকে মেরে ফেল*",
	}},
	{"words.threat_to_kill", RiskToLife, "Somebody was threatened with death.", []string{
		"going to kill|murder|stab|shoot|burn me|us|her|him|them|you", "gonna kill|murder|stab|shoot me|us|her|him|them|you",
		"kill|murder|stab|shoot my|our wife|husband|partner|mum|mother|dad|father|sister|brother|family|son|daughter|children|kids|baby|boyfriend|girlfriend",
		"he|she|they|hell|shell|theyll will kill|murder|stab|shoot me|us|her|him|them", "he'll|she'll|they'll kill|murder|stab|shoot me|us|her|him|them",
		"will kill|murder me|us|her|him|them|you", "wants|want to kill|murder me|us|her|him|them", "try|tries|trying|tried to kill|murder|strangle|stab me|us|her|him|them",
		"threat*|threatened|threatening .. kill|murder|stab|shoot|behead", "death threat*", "threats|threat to kill|life|my|our life", "threat* my|our|her|his life", "honour killing",
		"fear for my|our|her|his life", "fearing for my|our|her|his life", "i will be killed", "afraid .. kill me|us|her|him",
		"grozi* .. śmiercią|zabójstwem", "grozi* .. zabije|zabiję|zabić", "groźb* śmierci", "groźb* .. śmiercią|pozbawienia", "zabije mnie|nas|ją|go|ich|cię", "mnie|nas|ją|go|ich zabije",
		"chce|chcą mnie|nas|ją|go zabić", "próbował|próbowała mnie|nas|ją|go zabić|udusić", "boję się o życie|swoje życie", "boję się o moje|swoje|nasze życie",
		"মেরে ফেলবে", "মেরে ফেলার হুমকি", "মেরে ফেলতে চায়|চাচ্ছে|চেষ্টা", "খুন করবে|করতে", "খুন করার হুমকি", "হত্যার হুমকি", "হত্যা করবে|করতে", "প্রাণনাশের হুমকি", "জানে মেরে*", "জীবনের ভয়*",
	}},
	{"words.weapon", RiskToLife, "There may be a weapon.", []string{
		"has|have|had|got|carrying|holding|waving|with a|an|the|his|her knife|gun|machete|firearm|pistol|shotgun|sword|axe|grenade", "has got a knife|gun|machete", "at knifepoint|gunpoint", "pointed|pointing|pulled a gun|knife",
		"shots fired", "gun shots|shot", "gunshot*", "there is a bomb", "theres|there's a bomb", "planted|plant a bomb", "bomb in|at|under the", "bomb threat", "acid attack", "pour|throw|threw|poured petrol|acid",
		"ma nóż|broń|pistolet|maczetę|siekierę", "z nożem|bronią|maczetą|pistoletem|siekierą", "strzela|strzelają|strzelał do", "podłoż* bomb*", "bomba w|na|pod",
		"ছুরি নিয়ে|হাতে|আছে|দেখিয়ে", "হাতে ছুরি|বন্দুক|পিস্তল|চাপাতি|দা", "বন্দুক নিয়ে|আছে|দেখিয়ে", "পিস্তল নিয়ে|আছে|দেখিয়ে", "চাপাতি নিয়ে", "গুলি করছে|করেছে|চলছে", "বোমা আছে|রাখা|রেখেছে",
	}},
	{"words.dying", RiskToLife, "Somebody may be dying.", []string{
		"not breathing", "isnt|isn't breathing", "cant|can't breathe", "stopped breathing", "unconscious", "he|she|person|man|woman|child|baby is|was unresponsive", "hes|shes unresponsive", "bleeding heavily|badly|out|to", "wont|won't wake up", "is dying", "im|i'm dying", "am dying", "dont|don't want to die", "having a heart attack", "been stabbed|shot", "got stabbed|shot",
		"nie oddycha", "nieprzytomn*", "strac*|straciła przytomność", "mocno|bardzo krwawi", "wykrwawi*", "on|ona umiera", "nie chcę umierać", "dźgn*",
		"শ্বাস নিচ্ছে না", "শ্বাস নিতে পারছে|পারছি না", "নিঃশ্বাস নিচ্ছে না", "অজ্ঞান", "জ্ঞান হারিয়ে*", "রক্ত ঝরছে|পড়ছে|বের", "রক্তক্ষরণ*", "মারা যাচ্ছে|যাচ্ছি", "ছুরি মেরেছে",
	}},
	{"words.held", RiskToLife, "Somebody may be held against their will.", []string{
		"kidnap*", "abducted", "held|holding|keeping|kept me|us|her|him|them hostage|prisoner|captive", "held|kept hostage|prisoner|captive", "against my|her|his|their will", "locked me|us|her|him in", "wont|won't let me|us|her|him leave", "human traffick*", "was|been trafficked", "forced marriage", "forced to marry", "forcing me|her to marry", "female genital mutilation",
		"porwali|porwał|porwano|porwanie|porwania", "uprowadz*", "więzi mnie|nas|ją|go", "przetrzymuj* mnie|nas|ją|go|wbrew", "zamknął|zamknęli|zamyka mnie|nas|ją", "nie pozwala mi wyjść", "zmusza* .. do małżeństwa|ślubu", "handel|handlu ludźmi",
		"অপহরণ*", "আটকে রেখেছে|রাখছে", "আটকিয়ে রেখেছে", "বন্দি করে", "জিম্মি*", "ঘর থেকে বের হতে দেয়|দিচ্ছে না", "জোর করে বিয়ে",
	}},
	{"words.violence_now", RiskToLife, "Somebody may be under attack.", []string{
		"is|are|keeps|hes|he's|shes|she's|theyre|they're beating|hitting|strangling|choking|attacking|raping me|us|her|him|them|my|his", "trying|trying to break into my|our|the", "breaking in now", "break in in progress", "someone is in my|the|our house|flat|home", "somebody is in my|the|our house|flat|home", "strangled|choked me|her", "he|she|they is|are|was|were outside my|our door|house|flat|home", "hes|shes|theyre outside my|our door|house|flat|home", "my|the|our house|flat|home is on fire", "on fire and|people|inside", "please send someone now|quickly|quick",
		"bije mnie|nas|ją|go|mamę|żonę", "mnie|nas|ją bije", "dusi mnie|ją|go", "gwałci", "włamuj* się teraz|właśnie|do", "ktoś jest w moim|naszym|domu|mieszkaniu", "pali się dom|mieszkanie", "ratunku", "ratujcie",
		"আমাকে|আমাদের|তাকে|মাকে|ওকে মারছে|পেটাচ্ছে", "গলা টিপে*", "ধর্ষণ করছে", "ঘরে ঢুকে পড়েছে|পড়ছে", "দরজা ভাঙছে", "আগুন লেগেছে", "বাঁচাও|বাঁচান",
	}},
	{"words.child_harmed", ChildAtRisk, "A child may be harmed.", []string{
		"child|children|kid|kids|baby|toddler|infant|boy|girl|son|daughter|stepson|stepdaughter|grandson|granddaughter|niece|nephew .. is|are|was|were|been|being|gets|get|getting|got abused|beaten|hit|hurt|harmed|molested|touched|raped|neglected|starved|bruised|groomed|exploited",
		"abus*|beat|beating|beats|hit|hits|hitting|hurting|molest*|neglect*|grooming|groomed|touching|exploit* .. child|children|kid|kids|baby|toddler|girl|boy|son|daughter", "child|children abuse", "child sexual", "child exploitation", "child neglect", "indecent images of children|a", "indecent images of a", "been|being groomed", "county lines", "paedophil*", "pedophil*", "under age|underage sex|girl|girls|boy|boys",
		"screaming child|baby|children", "child|children|baby|kid|kids .. screaming|crying for help", "left .. child|children|baby|kids alone", "child|children|baby|kids .. left|home alone",
		"bije|biją|krzywdz*|molest*|zaniedbuj*|wykorzyst* .. dziec*|syna|córkę|córke|chłopca|dziewczynkę", "dziec*|syn|syna|córka|córkę|dziewczynk*|chłop* .. bite|bity|bita|molest*|krzywdz*|wykorzyst*|zaniedb*", "molestowan*", "pedofil*", "dziecko|dzieci samo|same|sami w domu", "dziec* .. krzyczy|krzyczą",
		"শিশু*|বাচ্চা*|ছেলে*|মেয়ে* .. মারছে|মারে|মারধর|নির্যাতন*|নিপীড়ন*|ধর্ষণ*", "শিশু নির্যাতন*", "শিশুকে|বাচ্চাকে|ছেলেকে|মেয়েকে মারছে|মারে|পেটায়|পেটাচ্ছে", "বাচ্চা*|শিশু* একা",
	}},
	{"words.child_missing", ChildAtRisk, "A child may be missing.", []string{
		"missing child|children|boy|girl|teenager|son|daughter|baby|toddler", "child|children|boy|girl|teenager|son|daughter|baby|toddler|kid|grandson|granddaughter .. missing|disappeared|vanished", "son|daughter|child|boy|girl hasnt|hasn't|has come|not|never come|come|came home|back", "cant|can't find my|our son|daughter|child|boy|girl|baby|kid", "year old .. missing", "ran away from home", "run away from home", "taken my|our child|children|son|daughter|baby", "took my|our child|children|son|daughter|baby",
		"zaginął|zaginęła|zaginęło|zaginiony|zaginiona .. syn|córka|dziecko|chłopiec|dziewczynka|nastolat*", "syn|córka|dziecko|chłopiec|dziewczynka|nastolat* .. zaginął|zaginęła|zaginęło|zniknął|zniknęła|zniknęło", "syn|córka|dziecko nie wrócił|wróciła|wróciło", "uciekł|uciekła|uciekło z domu", "zabrał|zabrała .. dziecko|dzieci|syna|córkę",
		"নিখোঁজ শিশু|ছেলে|মেয়ে|বাচ্চা", "শিশু*|ছেলে*|মেয়ে*|বাচ্চা* .. নিখোঁজ", "শিশু*|ছেলে*|মেয়ে*|বাচ্চা* .. খুঁজে|পাওয়া পাচ্ছি|যাচ্ছে না", "শিশু*|ছেলে*|মেয়ে*|বাচ্চা* .. বাড়ি ফেরেনি", "শিশু*|ছেলে*|মেয়ে*|বাচ্চা* হারিয়ে গেছে|গিয়েছে",
	}},
}
