"""Each failure on a real socket says whether the request may have arrived, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ipaddress
import logging
import socket
import ssl
import traceback
from contextlib import asynccontextmanager

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from order_cancellation.clock import SystemClock
from order_cancellation.errors import ConfigurationError, InDoubt, LeaseLost, NotSent
from order_cancellation.http.messages import Call
from order_cancellation.http.transport import AiohttpTransport, describe
from unit.http.fakes import an_endpoint, answering, http_answer, raw_server

METHODS = ["GET", "PUT", "POST", "PATCH"]


@asynccontextmanager
async def a_transport(**options):
    async with AiohttpTransport(clock=SystemClock(), **options) as transport:
        yield transport


def a_call(url, method="POST", timeout_s=5.0, *, only_reads=False, **headers):
    body = None if method == "GET" else b'{"id":1}'
    return Call(method, url, headers=headers, body=body, timeout_s=timeout_s, only_reads=only_reads)


def outcome_of(handle, *, method="POST", timeout_s=5.0, path="/x", only_reads=False, **options):
    """Send one call to a server that handles connections so; return the server and the answer or error."""

    async def story():
        async with raw_server(handle) as server, a_transport(**options) as transport:
            try:
                call = a_call(server.url + path, method, timeout_s, only_reads=only_reads)
                result = await transport.send(call)
            except (NotSent, InDoubt) as error:
                result = error
            return server, result

    return asyncio.run(story())


async def closed_at_once(_server, _reader, _writer):
    return


async def closed_after_request(server, reader, _writer):
    await server.request(reader)


async def half_an_answer(server, reader, writer):
    await server.request(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half":')
    await writer.drain()


async def no_answer(server, reader, _writer):
    await server.request(reader)
    await asyncio.sleep(60)


async def not_http(server, reader, writer):
    await server.request(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


class TestWhatMayHaveArrived:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(
        "handle",
        [closed_at_once, closed_after_request, half_an_answer, not_http],
        ids=lambda each: each.__name__,
    )
    def test_a_failure_after_the_first_byte_is_in_doubt(self, handle, method):
        _, result = outcome_of(handle, method=method)
        assert isinstance(result, InDoubt)

    def test_a_time_out_after_sending_is_in_doubt(self):
        server, result = outcome_of(no_answer, timeout_s=0.2)
        assert isinstance(result, InDoubt)
        assert len(server.requests) == 1

    def test_an_answer_cut_at_any_byte_is_in_doubt(self):
        """Only the whole answer counts, however little of it is missing."""
        whole = http_answer(b'{"ok": true}')

        async def story(length):
            async def cut(server, reader, writer):
                await server.request(reader)
                writer.write(whole[:length])
                await writer.drain()

            async with raw_server(cut) as server, a_transport() as transport:
                with pytest.raises(InDoubt):
                    await transport.send(a_call(server.url))

        async def all_lengths():
            for length in range(len(whole)):
                await story(length)

        asyncio.run(all_lengths())

    def test_an_answer_beyond_the_cap_is_in_doubt(self):
        async def large(server, reader, writer):
            await server.request(reader)
            writer.write(http_answer(b"x" * 1001))
            await writer.drain()

        _, result = outcome_of(large, size_cap=1000)
        assert isinstance(result, InDoubt)
        assert "1000 bytes" in str(result)

    def test_the_cap_counts_decompressed_bytes(self):
        async def bomb(server, reader, writer):
            await server.request(reader)
            writer.write(http_answer(gzip.compress(b"x" * 5_000_000), Content_Encoding="gzip"))
            await writer.drain()

        _, result = outcome_of(bomb, size_cap=100_000)
        assert isinstance(result, InDoubt)


class TestWhatSurelyDidNotLeave:
    def test_a_refused_connection_is_not_sent(self):
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{reserved.getsockname()[1]}/x"

            async def story():
                async with a_transport() as transport:
                    await transport.send(a_call(url))

            with pytest.raises(NotSent, match="refused"):
                asyncio.run(story())

    def test_an_unknown_host_is_not_sent(self):
        async def unknown(*_args, **_kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        async def story():
            asyncio.get_running_loop().getaddrinfo = unknown
            async with a_transport() as transport:
                await transport.send(a_call("http://nowhere.test/x"))

        with pytest.raises(NotSent, match="host name"):
            asyncio.run(story())

    def test_a_connection_that_does_not_open_in_time_is_not_sent(self):
        async def never(*_args, **_kwargs):
            await asyncio.sleep(60)

        async def story():
            asyncio.get_running_loop().getaddrinfo = never
            async with a_transport() as transport:
                await transport.send(a_call("http://slow.test/x", timeout_s=0.1))

        with pytest.raises(NotSent):
            asyncio.run(story())

    def test_waiting_in_vain_for_a_free_connection_is_not_sent(self):
        async def story():
            async with raw_server(no_answer) as server, a_transport(connections=1) as transport:
                first = asyncio.create_task(transport.send(a_call(server.url, timeout_s=0.4)))
                await server.arrived.wait()
                with pytest.raises(NotSent):
                    await transport.send(a_call(server.url, timeout_s=0.1))
                with pytest.raises(InDoubt):
                    await first
                assert len(server.requests) == 1

        asyncio.run(story())

    def test_tls_to_a_server_without_it_is_not_sent(self):
        async def story():
            async with raw_server(closed_at_once) as server, a_transport() as transport:
                await transport.send(a_call(server.url.replace("http:", "https:")))

        with pytest.raises(NotSent):
            asyncio.run(story())

    def test_a_header_that_holds_a_line_break_is_not_sent(self):
        async def story():
            async with raw_server(answering) as server, a_transport() as transport:
                call = a_call(server.url, **{"X-Name": "a\r\nX-Other: b"})
                with pytest.raises(NotSent):
                    await transport.send(call)
                assert server.requests == []

        asyncio.run(story())

    def test_a_closed_transport_sends_nothing(self):
        async def story():
            await AiohttpTransport(clock=SystemClock()).send(a_call("http://127.0.0.1:9/x"))

        with pytest.raises(NotSent):
            asyncio.run(story())

    def test_other_methods_are_never_sent(self):
        async def story():
            async with a_transport() as transport:
                await transport.send(a_call("http://127.0.0.1:9/x", "DELETE"))

        with pytest.raises(ConfigurationError, match="DELETE"):
            asyncio.run(story())


class TestBeforeWrite:
    def test_a_lost_lease_stops_the_call_before_its_first_byte(self):
        """What the check raises goes through as it is, on a new connection and on a kept one."""

        def lost():
            raise LeaseLost("taken over")

        async def story():
            async with raw_server(answering) as server, a_transport() as transport:
                with pytest.raises(LeaseLost):
                    await transport.send(a_call(server.url), before_write=lost)
                await transport.send(a_call(server.url))
                with pytest.raises(LeaseLost):
                    await transport.send(a_call(server.url), before_write=lost)
                assert len(server.requests) == 1

        asyncio.run(story())

    def test_it_is_called_once_for_each_send_on_new_and_kept_connections(self):
        async def story():
            calls = []
            async with raw_server(answering) as server, a_transport() as transport:
                for _ in range(3):
                    await transport.send(a_call(server.url), before_write=lambda: calls.append(1))
                assert (len(calls), len(server.requests), server.connections) == (3, 3, 1)

        asyncio.run(story())

    def test_it_is_called_when_a_connection_is_at_hand_and_nothing_was_written(self):
        async def story():
            seen = []
            async with raw_server(answering) as server, a_transport() as transport:
                await transport.send(a_call(server.url))

                def note():
                    seen.append((server.connections, len(server.requests)))

                await transport.send(a_call(server.url), before_write=note)
            assert seen == [(1, 1)]

        asyncio.run(story())

    def test_it_is_not_called_without_a_connection(self):
        async def story():
            async with a_transport() as transport:
                await transport.send(
                    a_call("http://127.0.0.1:1/x"), before_write=lambda: pytest.fail("called")
                )

        with pytest.raises(NotSent):
            asyncio.run(story())


async def second_dropped(server, reader, writer):
    """Answer the first request of a connection, and drop the connection on the second."""
    await server.request(reader)
    writer.write(http_answer())
    await writer.drain()
    await server.request(reader)


class TestNothingIsSentTwice:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_kept_connection_that_drops_the_call_does_not_make_it_go_out_again(self, method):
        async def story():
            async with raw_server(second_dropped) as server, a_transport() as transport:
                await transport.send(a_call(server.url, method))
                with pytest.raises(InDoubt):
                    await transport.send(a_call(server.url, method))
                assert (len(server.requests), server.connections) == (2, 1)

        asyncio.run(story())

    def test_what_arrives_unasked_on_a_kept_connection_is_not_taken_for_an_answer(self):
        """A balancer's 408 on an idle connection must not be read as what became of the next refund."""

        async def impatient(server, reader, writer):
            while True:
                await server.request(reader)
                writer.write(http_answer(f'"answer {len(server.requests)}"'.encode()))
                await writer.drain()
                await asyncio.sleep(0.02)  # by then the client has put the connection aside
                writer.write(http_answer(b'"stale"', "408 Request Timeout"))
                await writer.drain()

        async def story():
            async with raw_server(impatient) as server, a_transport() as transport:
                noted = []
                answers = []
                for _ in range(3):
                    call = a_call(server.url)
                    answers.append((await transport.send(call, before_write=lambda: noted.append(1))).data)
                    await asyncio.sleep(0.05)
                assert answers == ["answer 1", "answer 2", "answer 3"]
                assert (len(server.requests), server.connections, len(noted)) == (3, 3, 3)

        asyncio.run(story())

    def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(self):
        """Not even where the loop has had no turn to notice it."""

        async def story():
            async with raw_server(answering) as server, a_transport() as transport:
                await transport.send(a_call(server.url))
                server.hang_up()
                await transport.send(a_call(server.url))
                assert (len(server.requests), server.connections) == (2, 2)

        asyncio.run(story())

    def test_the_library_alone_would_have_sent_again(self):
        """The counter-test: without our guard the same server sees a third request."""

        async def story():
            async with raw_server(second_dropped) as server, aiohttp.ClientSession() as client:
                for _ in range(2):
                    async with client.put(server.url, data=b"{}") as response:
                        await response.read()
                assert len(server.requests) == 3

        asyncio.run(story())


class TestRedirects:
    @staticmethod
    def redirecting(location):
        async def handle(server, reader, writer):
            while True:
                request = await server.request(reader)
                first = request.split(b" ")[1] == b"/from"
                headers = {"Location": location(server)} if first else {}
                writer.write(http_answer(b'"there"', "302 Found" if first else "200 OK", **headers))
                await writer.drain()

        return handle

    def test_what_only_reads_follows_on_its_own_host(self):
        server, answer = outcome_of(
            self.redirecting(lambda _: "/to?x=1"), method="GET", path="/from", only_reads=True
        )
        assert (answer.status, answer.data, answer.url) == (200, "there", f"{server.url}/to?x=1")

    @pytest.mark.parametrize(
        ("method", "only_reads"),
        [("POST", False), ("PUT", False), ("PATCH", False), ("GET", False), ("POST", True)],
    )
    def test_a_write_does_not_follow(self, method, only_reads):
        """A GET that books is one, too: the sign-in or the list that it is led to would be its answer."""
        server, answer = outcome_of(
            self.redirecting(lambda _: "/to"), method=method, path="/from", only_reads=only_reads
        )
        assert (answer.status, answer.url) == (302, f"{server.url}/from")
        assert len(server.requests) == 1

    def test_credentials_never_go_to_another_host(self):
        async def story():
            async with raw_server(answering) as other, a_transport() as transport:
                elsewhere = other.url
                async with raw_server(self.redirecting(lambda _: f"{elsewhere}/to")) as server:
                    answer = await transport.send(
                        a_call(f"{server.url}/from", "GET", only_reads=True, Authorization="Token x")
                    )
                assert (answer.status, other.requests) == (302, [])

        asyncio.run(story())

    def test_a_circle_of_redirects_ends(self):
        server, answer = outcome_of(
            self.redirecting(lambda _: "/from"), method="GET", path="/from", only_reads=True
        )
        assert (answer.status, len(server.requests)) == (302, 6)


class TestMessages:
    def test_a_call_is_named_without_query_and_credentials(self):
        call = Call("POST", "https://ayse:pw@erp.test:8443/a/b?iban=TR33")
        assert describe(call) == "POST https://erp.test:8443/a/b"

    def test_a_failure_shows_neither_query_nor_headers_even_in_its_traceback(self, caplog):
        caplog.set_level(logging.DEBUG)

        secret, iban = "canary-secret", "TR330006100519786457841326"

        async def story():
            async with a_transport() as transport:
                await transport.send(a_call(f"http://127.0.0.1:1/x?iban={iban}", Authorization=secret))

        with pytest.raises(NotSent) as caught:
            asyncio.run(story())
        shown = "".join(traceback.format_exception(caught.value)) + caplog.text
        assert iban not in shown
        assert secret not in shown


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return str(path)


class TestTls:
    @staticmethod
    def result_with(certificate, **options):
        async def story():
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            async with raw_server(answering, ssl=context) as server:
                endpoint = an_endpoint(base_url=server.url, options=options)
                async with AiohttpTransport.for_endpoint(endpoint, clock=SystemClock()) as transport:
                    return (await transport.send(a_call(server.url))).status, server.requests

        return asyncio.run(story())

    def test_a_certificate_that_nobody_vouches_for_is_not_trusted(self, certificate):
        with pytest.raises(NotSent, match="certificate"):
            self.result_with(certificate)

    @pytest.mark.parametrize("option", ["ca", "verify"])
    def test_a_certificate_named_in_the_connection_is_trusted(self, certificate, option):
        assert self.result_with(certificate, **{option: certificate})[0] == 200

    def test_verification_can_be_switched_off_and_that_is_logged(self, certificate, caplog):
        assert self.result_with(certificate, verify=False)[0] == 200
        assert "does not verify" in caplog.text

    def test_a_certificate_file_that_is_not_there_is_the_owners_to_put_right(self):
        with pytest.raises(ConfigurationError, match="verify, ca or cert"):
            AiohttpTransport.for_endpoint(an_endpoint(options={"ca": "/nowhere.pem"}), clock=SystemClock())


class TestPlainHttp:
    @pytest.mark.parametrize(
        ("url", "is_told"),
        [
            ("http://erp.test", True),
            ("http://10.0.0.7:8080", True),
            ("https://erp.test", False),
            ("http://127.0.0.1:8090/erp", False),
            ("http://localhost:8090", False),
            ("http://[::1]", False),
        ],
    )
    def test_it_is_told_outside_loopback(self, url, is_told, caplog):
        AiohttpTransport.for_endpoint(an_endpoint(base_url=url), clock=SystemClock())
        assert ("unencrypted" in caplog.text) is is_told


class TestProxy:
    def test_a_proxy_that_refuses_the_tunnel_lets_nothing_through(self):
        async def refusing(server, reader, writer):
            await server.request(reader)
            writer.write(http_answer(b"", "403 Forbidden"))
            await writer.drain()

        async def story():
            async with raw_server(refusing) as proxy:
                endpoint = an_endpoint(options={"proxy": proxy.url}, base_url="https://erp.test")
                async with AiohttpTransport.for_endpoint(endpoint, clock=SystemClock()) as transport:
                    with pytest.raises(NotSent, match="proxy"):
                        await transport.send(a_call("https://erp.test/x"))
                return proxy.requests

        assert asyncio.run(story())[0].startswith(b"CONNECT erp.test:443 ")

    def test_calls_go_through_the_proxy_of_the_connection(self):
        async def story():
            async with raw_server(answering) as proxy:
                endpoint = an_endpoint(options={"proxies": {"http": proxy.url}}, base_url="http://erp.test")
                async with AiohttpTransport.for_endpoint(endpoint, clock=SystemClock()) as transport:
                    await transport.send(a_call("http://erp.test/x"))
                return proxy.requests

        assert asyncio.run(story())[0].startswith(b"POST http://erp.test/x ")

    def test_another_kind_of_proxy_is_refused(self):
        with pytest.raises(ConfigurationError, match="proxy"):
            AiohttpTransport.for_endpoint(an_endpoint(options={"proxy": "socks5://x"}), clock=SystemClock())


class TestAnswers:
    def test_a_compressed_answer_is_read_as_what_it_was(self):
        async def compressed(server, reader, writer):
            await server.request(reader)
            writer.write(http_answer(gzip.compress(b'{"ok": true}'), Content_Encoding="gzip"))
            await writer.drain()

        _, answer = outcome_of(compressed)
        assert answer.data == {"ok": True}

    def test_a_connection_is_used_again_for_the_calls_that_follow(self):
        async def story():
            async with raw_server(answering) as server, a_transport() as transport:
                for _ in range(20):
                    await transport.send(a_call(server.url + "/x"))
                return server.connections, len(server.requests)

        assert asyncio.run(story()) == (1, 20)

    def test_an_address_of_ipv6_is_called(self):
        async def served(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(8)
            writer.write(http_answer(b'"%s"' % head.split(b"Host: ")[1].split(b"\r\n")[0]))
            await writer.drain()
            writer.close()

        async def story():
            try:
                server = await asyncio.start_server(served, "::1", 0)
            except OSError:
                pytest.skip("this machine has no IPv6")
            async with server, a_transport() as transport:
                port = server.sockets[0].getsockname()[1]
                answer = await transport.send(a_call(f"http://[::1]:{port}/x"))
                return answer.data, port

        host, port = asyncio.run(story())
        assert host == f"[::1]:{port}"

    def test_a_server_that_never_ends_its_answer_is_left_at_the_time_out(self):
        async def dripping(server, reader, writer):
            await server.request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)

        assert isinstance(outcome_of(dripping, timeout_s=0.3)[1], InDoubt)

    @settings(max_examples=60)
    @given(data=st.binary(max_size=200))
    def test_whatever_comes_back_is_an_answer_or_doubt(self, data):
        """Random bytes in place of an answer: never another error, never taken for not sent."""

        async def babbling(server, reader, writer):
            await server.request(reader)
            writer.write(data)
            await writer.drain()

        result = outcome_of(babbling, timeout_s=2.0)[1]
        assert isinstance(result, InDoubt) or 100 <= result.status <= 999

    @settings(max_examples=60)
    @given(status=st.integers(200, 599), body=st.binary(max_size=60), kind=st.text(max_size=20))
    def test_whatever_an_answer_holds_can_be_read(self, status, body, kind):
        async def answering_so(server, reader, writer):
            await server.request(reader)
            safe = (
                "".join(mark for mark in kind if mark.isprintable())
                .encode("latin-1", "ignore")
                .decode("latin-1")
            )
            writer.write(http_answer(body, f"{status} X", Content_Type=f"text/plain; charset={safe}"))
            await writer.drain()

        result = outcome_of(answering_so, timeout_s=2.0)[1]
        assert isinstance(result, InDoubt) or isinstance(result.text, str)
