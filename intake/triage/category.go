package triage

// A category is guessed when its words are there; the first of the most frequent
// wins, in this order, so that what matters more is not hidden by what is common.
var categories = []struct {
	name    string
	phrases []string
}{
	{"hate", []string{
		"hate crime|incident", "racist|racial|racially|racism", "homophobic|transphobic|islamophobic|antisemitic|antisemitism", "because im|i'm|i|of muslim|black|asian|gay|trans|disabled|jewish|polish|my", "because of my religion|race|skin|disability",
		"rasist*|rasizm*", "homofob*", "ksenofob*", "na tle rasowym|religijnym", "বর্ণবাদ*", "বর্ণবিদ্বেষ*", "ঘৃণামূলক", "সাম্প্রদায়িক",
	}},
	{"bicycle", []string{"bike|bikes|bicycle|bicycles|ebike|cycle", "rower|roweru|rowery|rowerem", "সাইকেল*", "বাইসাইকেল*"}},
	{"vehicle", []string{
		"car|cars|van|vehicle|motorbike|motorcycle|moped|scooter|lorry|caravan|catalytic", "number plate|plates", "samoch*|auto|auta|motocykl*|skuter*", "tablic* rejestracyjn*", "গাড়ি*", "মোটরসাইকেল*", "মোটর সাইকেল*",
	}},
	{"found_property", []string{"i|we|have|ive|i've found a|an|some|this|your", "found property", "handed in", "znalazłem|znalazłam|znaleźliśmy|znaleziono", "কুড়িয়ে পেয়েছি", "খুঁজে পেয়েছি"}},
	{"lost_property", []string{"lost my|a|an|our|her|his", "lost property", "i|ive|have lost", "left my|a|an .. on|in the|a bus|train|tube|taxi", "zgubiłem|zgubiłam|zgubiliśmy|zgubiono|zagubi*", "হারিয়ে ফেলেছি", "হারিয়ে গেছে"}},
	{"damage", []string{"damaged|vandal*|graffiti|smashed|scratched|keyed|slashed", "criminal damage", "broke|broken|smashed my|the|our window|windows|fence|door", "zniszczy*|zniszczon*|uszkodz*|wybi* szyb*|wandal*|dewast*", "ভাঙচুর*", "নষ্ট করেছে", "ভেঙে ফেলেছে|দিয়েছে"}},
	{"asb", []string{"anti social", "antisocial", "noise|noisy|loud music|party|parties|neighbour|neighbours|neighbor", "gang|gangs|youths of|hanging|gathering", "drug dealing|dealers|dealer", "fireworks", "fly tipping", "hałas*|sąsiad*|głośn*", "zakłóc*", "শব্দ দূষণ", "উচ্চ শব্দ*", "প্রতিবেশী*"}},
	{"theft", []string{
		"stole|stolen|theft|thief|thieves|burgl*|robbed|robbery|mugged|pickpocket*|shoplift*|snatched", "nicked|pinched my|our|the", "taken|took my|our phone|bag|wallet|purse|laptop|parcel",
		"kradzież*|kradziez*|ukrad*|skradz*|złodziej*|włama*|okrad*|rabun*", "চুরি*", "চোর*", "ছিনতাই*", "ডাকাতি*",
	}},
}

var categoryPatterns = func() []rule {
	out := make([]rule, len(categories))
	for i, c := range categories {
		out[i] = rule{code: c.name, phrases: c.phrases}
	}
	return out
}()

var categoryFirst = func() [][]pattern {
	out := make([][]pattern, len(categoryPatterns))
	for i := range categoryPatterns {
		for _, phrase := range categoryPatterns[i].phrases {
			out[i] = append(out[i], compile(&categoryPatterns[i], phrase))
		}
	}
	return out
}()

// categoryWords is how many words are looked at: what a message is about stands
// at its beginning.
const categoryWords = 2000

func category(words []word, answers map[string]string) string {
	if c := answers["category"]; c != "" {
		return c
	}
	words = words[:min(len(words), categoryWords)]
	best, most := "", 0
	for i, patterns := range categoryFirst {
		n := 0
		for at := range words {
			if words[at].raw == "" {
				continue
			}
			for _, p := range patterns {
				if end, ok := p.match(words, at); ok && !negated(words, at, end) {
					n++
					break
				}
			}
		}
		switch name := categories[i].name; {
		case n == 0:
		case name == "hate":
			return name
		case name == "theft" && (best == "bicycle" || best == "vehicle"):
			// "my bike was stolen, the thief …" is about the bicycle.
		case n > most:
			best, most = name, n
		}
	}
	return best
}
