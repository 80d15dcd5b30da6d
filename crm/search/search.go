package search

import (
	"errors"

	"example.org/c3i/contact"
)

// Kind is what a document stands for.
type Kind string

// Kinds.
const (
	Person  Kind = "person"
	Report  Kind = "report"
	Contact Kind = "contact"
	Message Kind = "message"
)

// Kinds lists every kind in the order in which equal matches are shown.
func Kinds() []Kind { return []Kind{Person, Report, Contact, Message} }

// letter stands for a kind in keys; 0 for what is none.
func (k Kind) letter() byte {
	switch k {
	case Person, Report, Contact, Message:
		return k[0]
	}
	return 0
}

// Doc is what may be found of a record. Kind and ID name it; everything else is
// optional. Numbers are in international form (+44…) or as dialled.
type Doc struct {
	Kind Kind            `json:"k"`
	ID   string          `json:"i"`
	When contact.Instant `json:"w,omitempty"` // newer is shown first
	// Version, when not zero, keeps an older copy that comes late from replacing a
	// newer one.
	Version uint64 `json:"v,omitempty"`

	Names     []string `json:"n,omitempty"`
	Numbers   []string `json:"p,omitempty"`
	Emails    []string `json:"e,omitempty"`
	Refs      []string `json:"r,omitempty"`
	Postcodes []string `json:"c,omitempty"`
	Vehicles  []string `json:"m,omitempty"`
	Uniques   []string `json:"u,omitempty"`
	// Born is a date of birth, YYYY-MM-DD.
	Born string `json:"o,omitempty"`
	// Title is one line for lists. It is not searched: Text is.
	Title string `json:"s,omitempty"`
	// Text is searched by its words and not kept.
	Text string `json:"-"`
	// Restricted records are found and not shown: see Hit.
	Restricted bool `json:"x,omitempty"`
	// Person and Report link the document to those it belongs to.
	Person contact.PersonID `json:"a,omitempty"`
	Report string           `json:"b,omitempty"`
}

// Query is a search.
type Query struct {
	// Text is what was typed. Its last word counts as unfinished.
	Text string
	// Kinds limits what is looked for; empty is everything.
	Kinds []Kind
	// Limit is at most LimitMost, LimitDefault when zero.
	Limit int
	// After is a Results' Next, to read on.
	After string
}

// Limits.
const (
	TextLimit    = 200 // characters of a query that are looked at
	TermsLimit   = 8   // words and numbers of a query that are looked at
	LimitDefault = 20
	LimitMost    = 100
	// DeepLimit is how far one can read on. Who wants more must say more.
	DeepLimit = 500
	// WordsLimit is how many different words of a Text are indexed.
	WordsLimit = 500
	// ValuesLimit is how many of each of a Doc's lists are indexed.
	ValuesLimit = 50
	// BatchLimit is how many documents Fill takes at once.
	BatchLimit = 1000
)

// Rank says how well a hit matches; lower is better.
type Rank int

// Ranks.
const (
	ExactValue   Rank = iota // a number, address, reference … whole
	ExactName                // every word is a name
	ExactWord                // every word is there
	PrefixName               // the last word begins a name, or a value begins or ends so
	PrefixWord               // the last word begins a word
	SoundsAlike              // a name sounds like it
	ranksPlusOne             // one more than the last
)

// Field says what of a record matched.
type Field string

// Fields.
const (
	FieldName     Field = "name"
	FieldNumber   Field = "number"
	FieldEmail    Field = "email"
	FieldRef      Field = "reference"
	FieldPostcode Field = "postcode"
	FieldVehicle  Field = "vehicle"
	FieldUnique   Field = "unique"
	FieldBorn     Field = "born"
	FieldText     Field = "text"
)

// Hit is a record that matches. Of a restricted one only Kind, ID and Restricted
// are given, so that it can be asked for with a reason; nothing tells what it
// holds or which field matched.
type Hit struct {
	Doc
	Rank    Rank
	Matched []Field
}

// Results answers a Query.
type Results struct {
	// Hits are ordered by rank, then newest first. How new is judged among the fifty
	// of a kind that were put last, then the next fifty.
	Hits []Hit
	// More tells that others match; Next reads on, and is empty past DeepLimit.
	More bool
	Next string
	// Partial tells that time or work was used up before everything was looked at:
	// say more.
	Partial bool
	// Looked names what the query was taken for, for the person who typed it.
	Looked []Field
}

// ErrInvalid means a document or query was refused; the error's text names the field.
var ErrInvalid = errors.New("search: invalid")
