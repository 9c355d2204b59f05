/* SPDX-License-Identifier: Apache-2.0 */
/* A Modbus device for tests, by libmodbus: holding registers and coils that can be written, input registers
 *and discrete inputs that are what a line on standard input says.
 *
 *	modbus_server PORT        PORT 0: any; the port is printed first
 *
 * Standard input: `holding ADDRESS VALUE`, `input ADDRESS VALUE`, `coil ADDRESS VALUE`, `discrete ADDRESS
 *VALUE`, each answered with `ok`; `print holding|coil ADDRESS` answers with the value; its end ends the
 *device. Addresses from 500 on are refused to readers.
 */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 500, CLIENTS = 16 };

static void print_port(int listening)
{
	struct sockaddr_in at;
	socklen_t size = sizeof at;

	if (getsockname(listening, (struct sockaddr *)&at, &size) < 0)
		exit(1);
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
}

/* False: the end. */
static int take_line(modbus_mapping_t *m)
{
	char line[200], verb[20], table[20];
	unsigned at = 0, value = 0;

	if (!fgets(line, sizeof line, stdin))
		return 0;
	if (sscanf(line, "print %19s %u", table, &at) == 2 && at < N) {
		printf("%u\n", strcmp(table, "coil") == 0 ? m->tab_bits[at] : m->tab_registers[at]);
	} else if (sscanf(line, "%19s %u %u", verb, &at, &value) == 3 && at < N) {
		if (strcmp(verb, "holding") == 0)
			m->tab_registers[at] = (uint16_t)value;
		else if (strcmp(verb, "input") == 0)
			m->tab_input_registers[at] = (uint16_t)value;
		else if (strcmp(verb, "coil") == 0)
			m->tab_bits[at] = value != 0;
		else
			m->tab_input_bits[at] = value != 0;
		puts("ok");
	}
	fflush(stdout);
	return 1;
}

static int serve(modbus_t *bus, modbus_mapping_t *m, int fd)
{
	uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];

	modbus_set_socket(bus, fd);
	const int n = modbus_receive(bus, query);
	return n < 0 ? -1 : n == 0 ? 0 : modbus_reply(bus, query, n, m);
}

static void run(modbus_t *bus, modbus_mapping_t *m, int listening)
{
	struct pollfd fds[CLIENTS + 2] = {{.fd = listening, .events = POLLIN},
					  {.fd = STDIN_FILENO, .events = POLLIN}};
	nfds_t n = 2;

	while (poll(fds, n, -1) >= 0) {
		if (fds[1].revents && !take_line(m))
			return;
		for (nfds_t i = n - 1; i >= 2; i--)
			if (fds[i].revents && serve(bus, m, fds[i].fd) < 0) {
				close(fds[i].fd);
				fds[i] = fds[--n];
			}
		if (fds[0].revents && n < CLIENTS + 2) {
			int at = listening;
			const int fd = modbus_tcp_accept(bus, &at);
			if (fd >= 0)
				fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
	}
}

int main(int argc, char *argv[])
{
	modbus_t *bus = modbus_new_tcp("127.0.0.1", argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0);
	modbus_mapping_t *m = modbus_mapping_new(N, N, N, N);
	const int listening = bus ? modbus_tcp_listen(bus, CLIENTS) : -1;

	if (!m || listening < 0) {
		fprintf(stderr, "modbus_server: %s\n", modbus_strerror(errno));
		return 1;
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	print_port(listening);
	run(bus, m, listening);
	close(listening);
	modbus_mapping_free(m);
	modbus_free(bus);
	return 0;
}
