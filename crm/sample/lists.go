package sample

import "strings"

// Common names in a large British city, in no order of origin.
var (
	given = strings.Fields(`Oliver Amelia George Olivia Noah Isla Arthur Ava Muhammad Lily Leo Ivy Harry Freya Oscar Florence Archie Willow Jack
		Mia Henry Sophia Charlie Grace Thomas Rosie Jacob Elsie Alfie Poppy Joshua Emily William Ella James Alice Edward Charlotte Daniel
		Ruby Samuel Daisy Adam Maya Ethan Zara Lucas Aisha Isaac Fatima David Priya John Anita Michael Sunita Robert Deepa Paul Meena Mark
		Nadia Andrew Yasmin Peter Amina Stephen Halima Kevin Rukhsana Brian Shabnam Anthony Agnieszka Kenneth Katarzyna Ronald Magdalena
		Derek Ewa Dennis Joanna Piotr Monika Krzysztof Aneta Tomasz Dorota Marcin Beata Łukasz Małgorzata Mateusz Zofia Jakub Oksana
		Abdul Rahima Mohammed Nasrin Ahmed Salma Ibrahim Taslima Hassan Shirin Omar Farzana Yusuf Razia Ali Sultana Imran Jasmine Tariq
		Chinedu Ngozi Kwame Abena Kofi Ama Emeka Chioma Tunde Folake Segun Yetunde Babatunde Adaeze Winston Marcia Leroy Sandra Delroy
		Wei Ming Li Mei Hui Jun Nguyet Minh Thanh Linh Carlos Ana Luis Maria João Inês Mehmet Ayşe Mustafa Elif Ioan Elena Andrei Ioana
		Sean Siobhan Aoife Niamh Declan Ciara Gareth Megan Rhys Cerys Hamish Catriona Ewan Morag Margaret Dorothy Jean Joan Patricia
		Susan Christine Linda Julie Karen Tracey Michelle Nicola Rachel Rebecca Laura Gemma Hannah Chloe Bethany`)
	surnames = strings.Fields(`Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright Walker White
		Edwards Hughes Green Hall Lewis Harris Clarke Patel Jackson Wood Turner Martin Cooper Hill Ward Morris Moore Clark Lee King Baker
		Harrison Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell Kelly Cook Carter Richardson
		Bailey Collins Bell Shaw Murphy Miller Cox Richards Khan Marshall Anderson Simpson Ellis Adams Singh Begum Wilkinson Foster Chapman
		Powell Webb Rogers Gray Mason Ali Hunt Hussain Campbell Matthews Owen Palmer Holmes Mills Barnes Knight Lloyd Butler Russell Barker
		Fisher Stevens Jenkins Murray Dixon Harvey Ahmed Pearson Graham Fletcher Walsh Kaur Gibson Howard Andrews Stewart Elliott Reynolds
		Saunders Payne Fox Ford Pearce Day Brooks West Lawrence Cole Atkinson Bradley Spencer Gill Dawson Watts Burton O'Brien O'Neill
		Kowalski Nowak Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski Mazur Krawczyk
		Miah Uddin Rahman Islam Chowdhury Khatun Akhtar Hossain Sarkar Das Malik Iqbal Mahmood Mohamed Abdi Hassan Osman Warsame Okafor
		Okonkwo Adeyemi Adebayo Balogun Mensah Owusu Boateng Asante Osei Clarke-Brown Francis Joseph Charles Grant Nguyen Tran Pham Chen
		Wang Li Zhang Liu Wong Chan Silva Santos Ferreira Costa Pereira Yilmaz Kaya Demir Popescu Ionescu Popa Georgiou Rossi Cohen Levy
		MacDonald Fraser Ross Hamilton Wallace Sinclair Gallagher Doherty Byrne Ryan Sullivan`)
	streets = strings.Fields(`Station Church Park Victoria Green Manor Church Kings Queens New Grange Mill Springfield Highfield York
		Albert Alexandra George North South West School Orchard Windsor Meadow Chestnut Oak Elm Willow Beech Cedar Bridge Canal Market Chapel
		Garden Hill Warren Field Nursery Rectory Vicarage Priory Abbey Castle Forge Quarry Brook River Spring Stable Barn Farm`)
	ways  = strings.Fields("Road Road Road Street Street Avenue Lane Close Gardens Drive Terrace Court")
	towns = strings.Fields("Zedbridge Zedham Zedford Zedstead Zedminster")

	colours = strings.Fields("black white red blue green silver grey yellow orange purple brown navy")
	makes   = strings.Fields("Halden Corvo Brightwell Norra Pendle Quill Tarn Vesper Wexley Ashby Lumen Orbit")
	things  = []string{
		"mobile phone", "laptop", "handbag", "wallet", "rucksack", "watch", "necklace", "camera", "tablet", "power drill", "tool box", "pushchair", "television",
		"games console", "passport", "ring", "headphones", "electric scooter", "lawnmower", "catalytic converter",
	}
	places = []string{
		"the bus station", "the railway station", "the car park", "the shopping centre", "the front garden", "the back yard", "the bicycle rack", "the library",
		"the high street", "the towpath", "the park gates", "the school", "the market", "the multi-storey", "the stairwell", "the swimming pool", "the garage", "the lobby",
	}
	times = []string{"overnight", "this morning", "yesterday evening", "around midday", "at about six o'clock", "some time last week", "in the early hours", "while at work"}
	needs = []string{"hearing loop", "interpreter", "large print", "text relay", "carer present"}
	tails = []string{
		"Nobody was hurt.", "A neighbour may have seen something.", "There is a camera on the building opposite.", "The caller is worried that it will happen again.",
		"The lock had been cut.", "No description was given.", "Two people were seen running towards the river.", "The caller has photographs.",
		"A witness left a number.", "It was handed in the next day.", "The door was not forced.", "It has happened three times this month.",
	}
)

// category is a kind of report: how often it comes, of a thousand, and what it says.
type category struct {
	name, opening string
	weight        int
	crime         bool
	texts         []string
}

// The mix follows published figures for a large force, for what is reported
// without an emergency.
var categories = []category{
	{"theft", "THEFT", 260, true, []string{"A {colour} {thing} was stolen from {place} {time}.", "Somebody took a {thing} made by {make} at {place} {time}."}},
	{"vehicle", "VEHCRIME", 150, true, []string{"A {colour} {make} car was broken into at {place} {time} and a {thing} was taken.", "The number plates of a {colour} {make} were stolen {time}."}},
	{"bicycle", "CYCLE", 70, true, []string{"A {colour} {make} bicycle was stolen from {place} {time}.", "A bicycle chained at {place} was gone {time}; the frame is {colour}."}},
	{"damage", "DAMAGE", 120, true, []string{"A window was broken at {place} {time}.", "Paint was sprayed on a wall at {place} {time}.", "A {colour} {make} car was scratched at {place} {time}."}},
	{"asb", "ASB", 150, false, []string{"A group was shouting and throwing bottles at {place} {time}.", "Mopeds were ridden up and down by {place} {time}.", "Fireworks were let off near {place} {time}."}},
	{"lost_property", "LOST", 80, false, []string{"A {colour} {thing} was lost near {place} {time}."}},
	{"found_property", "FOUND", 40, false, []string{"A {thing} was found at {place} {time} and is kept safe."}},
	{"hate", "HATE", 25, true, []string{"Somebody shouted abuse at the caller at {place} {time}."}},
	{"other", "OTHER", 105, false, []string{"The caller asks what to do about a {thing} bought online that never came.", "A parked {colour} van has blocked {place} since {time}."}},
}
