package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// stub serves GET /page/{number}/{delay} after that many milliseconds, and answers "pong" to
// whatever is asked of lab.echo on the NATS server.
func stub(arguments []string) {
	flags := flag.NewFlagSet("stub", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "where to serve pages")
	nats := flags.String("nats", "", "host:port of the NATS server")
	flags.Parse(arguments)
	go func() { fail(respond(*nats)) }()
	fail(http.ListenAndServe(*listen, http.HandlerFunc(page)))
}

var filler = strings.Repeat("<p>the quick brown fox jumps over the lazy dog</p>\n", 40)

func page(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) != 4 {
		http.NotFound(w, r)
		return
	}
	delay, err := strconv.Atoi(parts[3])
	if err != nil || delay > 60_000 {
		http.Error(w, "the delay is a number of milliseconds", http.StatusBadRequest)
		return
	}
	time.Sleep(time.Duration(delay) * time.Millisecond)
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, "<html><title>page %s</title>\n%s</html>", parts[2], filler)
}

// respond speaks as much of the NATS protocol as one subscription needs.
func respond(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	out.WriteString("CONNECT {\"verbose\":false}\r\nSUB lab.echo 1\r\nPING\r\n")
	for {
		if in.Buffered() == 0 {
			// Nothing more to read now: send the replies made so far in one go.
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if words := strings.Fields(line); len(words) == 5 && words[0] == "MSG" {
			size, _ := strconv.Atoi(words[4])
			if _, err := io.CopyN(io.Discard, in, int64(size)+2); err != nil {
				return err
			}
			fmt.Fprintf(out, "PUB %s 4\r\npong\r\n", words[3])
		} else if strings.HasPrefix(line, "PING") {
			out.WriteString("PONG\r\n")
		}
	}
}
