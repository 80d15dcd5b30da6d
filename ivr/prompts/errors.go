package prompts

// Code tells programs what went wrong.
type Code string

// The codes of an Error.
const (
	// CodeNoSynthesiser: espeak-ng is missing or does not run.
	CodeNoSynthesiser Code = "no_synthesiser"
	// CodeSynthesis: espeak-ng could not speak a text.
	CodeSynthesis Code = "synthesis"
	// CodeRecording: a recording cannot be used.
	CodeRecording Code = "recording"
	// CodeTexts: a prompt file is wrong; the cause is an ivr.Problems listing.
	CodeTexts Code = "texts"
	// CodeCache: the cache cannot be written.
	CodeCache Code = "cache"
)

// Error is why a prompt could not be made.
type Error struct {
	Code Code
	// Message is a sentence for people; it names the file or prompt.
	Message string
	// Err is the cause, if any.
	Err error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }
