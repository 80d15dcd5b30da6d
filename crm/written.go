package crm

// WrittenArrival is what is known of a written contact when it arrives.
type WrittenArrival struct {
	Arrival
	Email   string
	Subject string
	Thread  ThreadID
	Report  ReportID
}
