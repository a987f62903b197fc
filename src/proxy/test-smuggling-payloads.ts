/**
 * Requests with which one request is made to look like two, or two like one, and everything near to them that has to go
 * through. Each hides a request for `/smuggled` where an honest reader sees a body, a field or nonsense, and says how
 * it is answered. Written from what is known of the families, by their usual names: CL.TE is a message whose length one
 * server takes from Content-Length and the next from Transfer-Encoding, and so on.
 */
// tidy: long table, because a corpus is read by its rows.
export interface Payload {
  readonly name: string;
  /** latin1 text, one character for each byte. */
  readonly send: string;
  /** The statuses that come back, in their order; nothing more comes. */
  readonly answers: readonly number[];
  /** In the desync mitigation mode `strictest`, if it is another answer. */
  readonly strictest?: readonly number[];
  /** In the mode `monitor`, where connections go on. */
  readonly monitor?: readonly number[];
}

const hidden = 'GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n';
const host = 'Host: a\r\n';
/** A POST whose field lines end with CRLF, and what follows its head. */
const post = (fields: string, body = '') => `POST /one HTTP/1.1\r\n${host}${fields}\r\n${body}`;
/** A request whose lengths say that `hidden` is its body, and whose chunks say that it is not; and fields about it. */
const lengthAndChunks = (codingLine: string) => {
  const body = `0\r\n\r\n${hidden}`;
  return post(`Content-Length: ${body.length}\r\n${codingLine}`, body);
};
/** Chunks alone, behind a coding that is written so. */
const chunksWith = (codingLine: string) => post(codingLine, `0\r\n\r\n${hidden}`);
const chunked = 'Transfer-Encoding: chunked\r\n';
const inChunks = (body: string) => post(chunked, body);
/** A length that is written so, and a body. */
const lengthOf = (value: string, body = 'hello') => post(`Content-Length: ${value}\r\n`, body + hidden);
const size = hidden.length;
const hex = size.toString(16);

const refused: readonly number[] = [400];
const unknownCoding: readonly number[] = [501];

/** One row: name, bytes, answers; 400 unless said. */
type Row = readonly [string, string, (readonly number[])?];

/** Both framings in one message. */
const bothFramings: readonly Row[] = [
  ['CL.TE', lengthAndChunks(chunked)],
  ['TE.CL', post(`${chunked}Content-Length: 4\r\n`, `${hex}\r\n${hidden}\r\n0\r\n\r\n`)],
  ['CL.TE in another case', lengthAndChunks('tRANSFER-eNCODING: cHUNKED\r\n')],
  ['CL.TE with nothing in the coding', lengthAndChunks('Transfer-Encoding:\r\n')],
  ['CL.TE with a length of nought', post(`Content-Length: 0\r\n${chunked}`, `0\r\n\r\n${hidden}`)],
  ['CL.TE in HTTP/1.0', lengthAndChunks(chunked).replace('HTTP/1.1', 'HTTP/1.0')],
  ['CL.TE that keeps HTTP/1.0', lengthAndChunks(`Connection: keep-alive\r\n${chunked}`).replace('1.1', '1.0')],
  ['CL.TE whose coding is to be dropped', lengthAndChunks(`Connection: Transfer-Encoding\r\n${chunked}`)],
  ['CL.TE whose length is to be dropped', lengthAndChunks(`Connection: Content-Length\r\n${chunked}`)],
  ['CL.TE of GET', lengthAndChunks(chunked).replace('POST', 'GET')],
  ['CL.TE with the identity', lengthAndChunks('Transfer-Encoding: identity\r\n')],
  ['CL.TE with a coding that nobody knows', lengthAndChunks('Transfer-Encoding: cow\r\n')],
  ['CL.TE with chunked twice', lengthAndChunks(chunked + chunked)],
  ['CL.TE with chunked, then the identity', lengthAndChunks(`${chunked}Transfer-Encoding: identity\r\n`)],
  ['CL.TE with the identity, then chunked', lengthAndChunks(`Transfer-Encoding: identity\r\n${chunked}`)],
];

/** TE.TE: a coding that one server takes for chunked and another does not. With a length, and without. */
const codings: readonly (readonly [string, string, (readonly number[])?])[] = [
  ['behind a tab', 'Transfer-Encoding:\tchunked\r\n', [200, 200]],
  ['behind two spaces', 'Transfer-Encoding:  chunked\r\n', [200, 200]],
  ['without a space', 'Transfer-Encoding:chunked\r\n', [200, 200]],
  ['with a space behind it', 'Transfer-Encoding: chunked \r\n', [200, 200]],
  ['with a tab behind it', 'Transfer-Encoding: chunked\t\r\n', unknownCoding],
  ['with a space and a tab behind it', 'Transfer-Encoding: chunked \t\r\n', unknownCoding],
  ['in capitals', 'TRANSFER-ENCODING: CHUNKED\r\n', [200, 200]],
  ['behind a vertical tab', 'Transfer-Encoding:\x0bchunked\r\n'],
  ['behind a form feed', 'Transfer-Encoding:\x0cchunked\r\n'],
  ['before a vertical tab', 'Transfer-Encoding: chunked\x0b\r\n'],
  ['before a form feed', 'Transfer-Encoding: chunked\x0c\r\n'],
  ['before a NUL', 'Transfer-Encoding: chunked\0\r\n'],
  ['before a NUL and more', 'Transfer-Encoding: chunked\0x\r\n'],
  ['behind a NUL', 'Transfer-Encoding: \0chunked\r\n'],
  ['before a bare CR', 'Transfer-Encoding: chunked\r \r\n'],
  ['behind a bare CR', 'Transfer-Encoding: \rchunked\r\n'],
  ['before two CRs', 'Transfer-Encoding: chunked\r\r\n'],
  ['ended by a bare LF', 'Transfer-Encoding: chunked\n'],
  ['behind a bare LF', 'X: y\nTransfer-Encoding: chunked\r\n'],
  ['behind a bare CR in another field', 'X: y\rTransfer-Encoding: chunked\r\n'],
  ['behind a NUL in another field', 'X: y\0Transfer-Encoding: chunked\r\n'],
  ['folded', 'Transfer-Encoding:\r\n chunked\r\n'],
  ['folded with a tab', 'Transfer-Encoding:\r\n\tchunked\r\n'],
  ['folded behind its value', 'Transfer-Encoding: chunked\r\n , identity\r\n'],
  ['folded into another field', 'X: y\r\n Transfer-Encoding: chunked\r\n'],
  ['folded over a bare LF', 'X: y\n Transfer-Encoding: chunked\r\n'],
  ['on a line that begins with a space', ' Transfer-Encoding: chunked\r\n'],
  ['on a line that begins with a tab', '\tTransfer-Encoding: chunked\r\n'],
  ['with a space before the colon', 'Transfer-Encoding : chunked\r\n'],
  ['with a tab before the colon', 'Transfer-Encoding\t: chunked\r\n'],
  ['with a vertical tab before the colon', 'Transfer-Encoding\x0b: chunked\r\n'],
  ['with a NUL before the colon', 'Transfer-Encoding\0: chunked\r\n'],
  ['with a space in its name', 'Transfer Encoding: chunked\r\n'],
  ['with a CR before its name', '\rTransfer-Encoding: chunked\r\n'],
  ['with two colons', 'Transfer-Encoding:: chunked\r\n', unknownCoding],
  ['without a colon', 'Transfer-Encoding chunked\r\n'],
  ['with a byte above ASCII in its name', 'Transf\xe9r-Encoding: chunked\r\n'],
  ['behind a byte order mark', '\xef\xbb\xbfTransfer-Encoding: chunked\r\n'],
  ['behind a space of Latin-1', 'Transfer-Encoding: \xa0chunked\r\n', unknownCoding],
  ['before a space of Latin-1', 'Transfer-Encoding: chunked\xa0\r\n', unknownCoding],
  ['behind a next line of Latin-1', 'Transfer-Encoding: \x85chunked\r\n', unknownCoding],
  ['with a byte that becomes a k', 'Transfer-Encoding: chun\xe2\x84\xaaed\r\n', unknownCoding],
  ['in double quotes', 'Transfer-Encoding: "chunked"\r\n', unknownCoding],
  ['in single quotes', "Transfer-Encoding: 'chunked'\r\n", unknownCoding],
  ['with a parameter', 'Transfer-Encoding: chunked;q=1\r\n', unknownCoding],
  ['with an empty parameter', 'Transfer-Encoding: chunked;\r\n', unknownCoding],
  ['behind a comma', 'Transfer-Encoding: ,chunked\r\n', unknownCoding],
  ['before a comma', 'Transfer-Encoding: chunked,\r\n', unknownCoding],
  ['behind the identity', 'Transfer-Encoding: identity, chunked\r\n', unknownCoding],
  ['before the identity', 'Transfer-Encoding: chunked, identity\r\n', unknownCoding],
  ['before a coding that nobody knows', 'Transfer-Encoding: chunked, cow\r\n', unknownCoding],
  ['behind gzip', 'Transfer-Encoding: gzip, chunked\r\n', unknownCoding],
  ['twice in a list', 'Transfer-Encoding: chunked, chunked\r\n', unknownCoding],
  ['without a comma behind the identity', 'Transfer-Encoding: identity chunked\r\n', unknownCoding],
  ['with a letter before it', 'Transfer-Encoding: xchunked\r\n', unknownCoding],
  ['with a letter behind it', 'Transfer-Encoding: chunkedx\r\n', unknownCoding],
  ['cut short', 'Transfer-Encoding: chunke\r\n', unknownCoding],
  ['empty', 'Transfer-Encoding:\r\n', unknownCoding],
  ['twice', chunked + chunked],
  ['before an empty one', `${chunked}Transfer-Encoding:\r\n`],
  ['behind an empty one', `Transfer-Encoding:\r\n${chunked}`],
  ['before a second that nobody knows', `${chunked}Transfer-Encoding: cow\r\n`],
  ['behind a first that nobody knows', `Transfer-Encoding: cow\r\n${chunked}`],
  ['before another field with a bare CR', `${chunked}X: y\rz\r\n`],
  ['that Connection names', `Connection: transfer-encoding\r\n${chunked}`],
  ['that Connection names with others', `Connection: close, Transfer-Encoding, x\r\n${chunked}`],
];

/** Content-Length in every form. What follows `hello` is the hidden request. */
const lengths: readonly Row[] = [
  ['a length with a plus', lengthOf('+5')],
  ['a length with a minus', lengthOf('-1')],
  ['a length of minus nought', lengthOf('-0', '')],
  ['a length in hexadecimal', lengthOf('0x5')],
  ['a length in octal', lengthOf('0o5')],
  ['a length with a point', lengthOf('5.0')],
  ['a length with an exponent', lengthOf('5e0')],
  ['a length with an underscore', lengthOf('0_5')],
  ['a length with a letter', lengthOf('5a')],
  ['a length behind a letter', lengthOf('a5')],
  ['a length with a space', lengthOf('5 5')],
  ['a length with a semicolon', lengthOf('5;')],
  ['a length in quotes', lengthOf('"5"')],
  ['a list of equal lengths', lengthOf('5, 5')],
  ['a list of lengths', lengthOf('5,6')],
  ['a list that begins with nothing', lengthOf(', 5')],
  ['a list that ends with nothing', lengthOf('5,')],
  ['an empty length', lengthOf('', '')],
  ['a length of a space', lengthOf(' ', '')],
  ['a length with a NUL', lengthOf('5\0')],
  ['a length with a NUL and more', lengthOf('5\x000')],
  ['a length behind a vertical tab', lengthOf('\x0b5')],
  ['a length before a form feed', lengthOf('5\x0c')],
  ['a length before a bare CR', lengthOf('5\r ')],
  ['a length that a bare LF ends', post('Content-Length: 5\nX: y\r\n', `hello${hidden}`)],
  ['a length that is folded', lengthOf('\r\n 5')],
  ['a length that is folded in the middle', lengthOf('1\r\n 5')],
  ['a length in the digits of another script', lengthOf('\xd9\xa5')],
  ['a length behind a space of Latin-1', lengthOf('\xa05')],
  ['a length of 2^31', lengthOf('2147483648'), []],
  ['a length of 2^32 and five', lengthOf('4294967301'), []],
  ['a length of 2^53', lengthOf('9007199254740993')],
  ['a length of 2^64 and five', lengthOf('18446744073709551621')],
  ['a length of a thousand digits', lengthOf('5'.repeat(1000))],
  ['a length of sixteen digits', lengthOf('0000000000000005')],
  ['a length behind noughts', lengthOf('005'), [200, 200]],
  ['a length between spaces', lengthOf(' \t 5 \t '), [200, 200]],
  ['a length in a name of capitals', post('CONTENT-LENGTH:5\r\n', `hello${hidden}`), [200, 200]],
  ['no length', post('', hidden), [200, 200]],
  ['a length of nought', lengthOf('0', ''), [200, 200]],
  ['CL.CL', post('Content-Length: 0\r\nContent-Length: 5\r\n', `hello${hidden}`)],
  ['CL.CL, the other way round', post('Content-Length: 5\r\nContent-Length: 0\r\n', `hello${hidden}`)],
  ['CL.CL that agree', post('Content-Length: 5\r\nContent-Length: 5\r\n', `hello${hidden}`)],
  ['CL.CL of which one is empty', post('Content-Length: 5\r\nContent-Length:\r\n', `hello${hidden}`)],
  ['CL.CL of which one is in another case', post('Content-Length: 5\r\ncontent-length: 0\r\n', `hello${hidden}`)],
  ['a length with a space before the colon', post('Content-Length : 5\r\n', `hello${hidden}`)],
  ['a length with a tab before the colon', post('Content-Length\t: 5\r\n', `hello${hidden}`)],
  ['a length on a line that begins with a space', post(' Content-Length: 5\r\n', `hello${hidden}`)],
  ['a second length on a line that is folded', post('Content-Length: 0\r\n Content-Length: 5\r\n', `hello${hidden}`)],
  ['a second length behind a bare LF', post('X: y\nContent-Length: 0\r\nContent-Length: 5\r\n', `hello${hidden}`)],
  ['a length that Connection names', post('Connection: Content-Length\r\nContent-Length: 5\r\n', `hello${hidden}`)],
  ['a length behind a name with a NUL', post('\0Content-Length: 5\r\n', `hello${hidden}`)],
];

/** Chunks. */
const chunks: readonly Row[] = [
  ['chunks', inChunks(`${hex}\r\n${hidden}\r\n0\r\n\r\n`), [200]],
  ['chunks in capitals and behind noughts', inChunks(`00${hex.toUpperCase()}\r\n${hidden}\r\n000\r\n\r\n`), [200]],
  ['chunks with extensions', inChunks(`${hex};a;b=c;d="e;\\"f"\r\n${hidden}\r\n0;x\r\n\r\n`), [200]],
  ['chunks with a trailer', inChunks(`${hex}\r\n${hidden}\r\n0\r\nX-Sum: 1\r\n\r\n`), [200]],
  ['a chunk size with 0x', inChunks(`0x${hex}\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size with a plus', inChunks(`+${hex}\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size with a minus', inChunks(`-${hex}\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size of minus nought', inChunks(`-0\r\n\r\n${hidden}`)],
  ['a chunk size with an underscore', inChunks(`0_5\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['a chunk size behind a space', inChunks(` ${hex}\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size before a space', inChunks(`${hex} \r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size before a tab', inChunks(`${hex}\t\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size before a NUL', inChunks(`${hex}\0\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size before a letter', inChunks(`5g\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['a chunk size in two words', inChunks(`0 5\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['an empty chunk size', inChunks(`\r\n${hidden}`)],
  ['a chunk size that is an extension', inChunks(`;x\r\n${hidden}`)],
  ['a chunk size of 2^32 and five', inChunks(`100000005\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['a chunk size of 2^64 and five', inChunks(`10000000000000005\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['a chunk size of 2^64 less one', inChunks(`ffffffffffffffff\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['a chunk size of 2^32 less one', inChunks(`ffffffff\r\n${hidden}`), []],
  ['a chunk size that a bare LF ends', inChunks(`${hex}\n${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size that a bare CR ends', inChunks(`${hex}\r${hidden}\r\n0\r\n\r\n`)],
  ['a chunk size with two CRs', inChunks(`${hex}\r\r\n${hidden}\r\n0\r\n\r\n`)],
  ['a last chunk that a bare LF ends', inChunks(`5\r\nhello\r\n0\n\r\n${hidden}`)],
  ['an empty line that is a bare LF', inChunks(`5\r\nhello\r\n0\r\n\n${hidden}`)],
  ['an empty line that is a bare CR', inChunks(`5\r\nhello\r\n0\r\n\r${hidden}`)],
  ['no line end behind a chunk', inChunks(`5\r\nhello0\r\n\r\n${hidden}`)],
  ['a bare LF behind a chunk', inChunks(`5\r\nhello\n0\r\n\r\n${hidden}`)],
  ['a bare CR behind a chunk', inChunks(`5\r\nhello\r0\r\n\r\n${hidden}`)],
  ['two letters behind a chunk', inChunks(`5\r\nhelloXX0\r\n\r\n${hidden}`)],
  ['a line too many behind a chunk', inChunks(`5\r\nhello\r\n\r\n0\r\n\r\n${hidden}`)],
  ['a chunk that is longer than it says', inChunks(`3\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['TERM.EXT: a bare LF in an extension', inChunks(`2;\nxx\r\n${hex}\r\n0\r\n\r\n${hidden}\r\n0\r\n\r\n`)],
  ['EXT.TERM: a bare LF behind an extension', inChunks(`5;a\nhello\r\n0\r\n\r\n${hidden}`)],
  ['TERM.EXT with a CR', inChunks(`2;\rxx\r\n${hex}\r\n0\r\n\r\n${hidden}\r\n0\r\n\r\n`)],
  ['TERM.SPILL: a CR in the place of data', inChunks(`5\r\nhello\r\r0\r\n\r\n${hidden}`)],
  ['a bare LF in a quoted extension', inChunks(`5;a="\n"\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['a line end in a quoted extension', inChunks(`5;a="\r\nhello\r\n0\r\n\r\n${hidden}"\r\nhello\r\n0\r\n\r\n`)],
  ['a NUL in an extension', inChunks(`5;a\0b\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['an extension without a name', inChunks(`5;\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['an extension behind a space', inChunks(`5 ;a\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['an extension with a space', inChunks(`5;a b\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['an extension of a mebibyte', inChunks(`5;${'a'.repeat(1024 * 1024)}\r\nhello\r\n0\r\n\r\n${hidden}`)],
  ['an extension to the last chunk with a bare LF', inChunks(`0;\n\r\n\r\n${hidden}`)],
  ['a length in a trailer', inChunks(`0\r\nContent-Length: ${size}\r\n\r\n${hidden}`)],
  ['a coding in a trailer', inChunks(`0\r\n${chunked}\r\n${hidden}`)],
  ['a host in a trailer', inChunks(`0\r\nHost: b\r\n\r\n${hidden}`)],
  ['a connection in a trailer', inChunks(`0\r\nConnection: close\r\n\r\n${hidden}`)],
  ['a client in a trailer', inChunks(`0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n${hidden}`)],
  ['a trailer that is folded', inChunks(`0\r\nX: y\r\n z\r\n\r\n${hidden}`)],
  ['a trailer that a bare LF ends', inChunks(`0\r\nX: y\n\r\n${hidden}`)],
  ['a trailer with a bare CR', inChunks(`0\r\nX: y\rz\r\n\r\n${hidden}`)],
  ['a trailer with a NUL', inChunks(`0\r\nX: y\0z\r\n\r\n${hidden}`)],
  ['a trailer with a space before the colon', inChunks(`0\r\nX : y\r\n\r\n${hidden}`)],
  ['a trailer without a colon', inChunks(`0\r\nX\r\n\r\n${hidden}`)],
  ['a trailer that is a request', inChunks(`0\r\n${hidden}`)],
  ['chunks in HTTP/1.0', inChunks(`5\r\nhello\r\n0\r\n\r\n${hidden}`).replace('1.1', '1.0')],
  ['chunks that never end', inChunks(`${hex}\r\n${hidden}\r\n`), []],
  ['a chunk that is cut short', inChunks(`${hex}0\r\n${hidden}`), []],
];

/** Lines, names and values. */
const lines: readonly Row[] = [
  ['a bare LF behind the request line', `GET /one HTTP/1.1\n${host}\r\n${hidden}`],
  ['a bare CR behind the request line', `GET /one HTTP/1.1\r${host}\r\n${hidden}`],
  ['a bare LF as the empty line', `GET /one HTTP/1.1\r\n${host}\n${hidden}`],
  ['a bare CR as the empty line', `GET /one HTTP/1.1\r\n${host}\r${hidden}`],
  ['a bare LF in a value', post('X: y\nGET /smuggled HTTP/1.1\r\n')],
  ['two bare LFs in a value', post(`X: y\n\nGET /smuggled HTTP/1.1\n${host.replace('\r', '')}\n`)],
  ['a bare CR in a value', post('X: y\r\rGET /smuggled HTTP/1.1\r\n')],
  ['a NUL in a value', post('X: y\0z\r\n')],
  ['a bell in a value', post('X: y\x07\r\n')],
  ['a DEL in a value', post('X: y\x7f\r\n')],
  ['an empty name', post(': y\r\n')],
  ['a line without a colon', post('GET /smuggled HTTP/1.1\r\n')],
  ['a name with a space behind it', post('X : y\r\n')],
  ['a name with a tab behind it', post('X\t: y\r\n')],
  ['a name with parentheses', post('X(y): z\r\n')],
  ['a name with a CR', post('X\r: z\r\n')],
  ['a first line that is folded', `GET /one HTTP/1.1\r\n ${host}\r\n${hidden}`],
  ['an empty line before a request', `\r\nGET /one HTTP/1.1\r\n${host}\r\n`, [200]],
  ['two empty lines before a request', `\r\n\r\nGET /one HTTP/1.1\r\n${host}\r\n`],
  ['a bare LF before a request', `\nGET /one HTTP/1.1\r\n${host}\r\n`],
  ['a space before a request', ` GET /one HTTP/1.1\r\n${host}\r\n`],
  ['a space on a line before a request', ` \r\nGET /one HTTP/1.1\r\n${host}\r\n`],
  ['two spaces behind the method', `GET  /one HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a tab behind the method', `GET\t/one HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a tab behind the target', `GET /one\tHTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a space in the target', `GET /one /smuggled HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a version in the target', `GET /one HTTP/1.1 /smuggled HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a CR in the target', `GET /one\r/smuggled HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a NUL in the target', `GET /one\0 HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a byte above ASCII in the target', `GET /on\xe9 HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a fragment in the target', `GET /one#smuggled HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['an encoded line end in the target', `GET /one%0d%0aGET%20/smuggled HTTP/1.1\r\n${host}\r\n`, [200]],
  ['a space behind the version', `GET /one HTTP/1.1 \r\n${host}\r\n${hidden}`],
  ['no version', `GET /one\r\n${host}\r\n${hidden}`],
  ['a version of one digit', `GET /one HTTP/1\r\n${host}\r\n${hidden}`],
  ['a version of three digits', `GET /one HTTP/1.10\r\n${host}\r\n${hidden}`],
  ['a version in small letters', `GET /one http/1.1\r\n${host}\r\n${hidden}`],
  ['HTTP/1.2', `GET /one HTTP/1.2\r\n${host}\r\n${hidden}`, [505]],
  ['HTTP/2.0', `GET /one HTTP/2.0\r\n${host}\r\n${hidden}`, [505]],
  ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, [505]],
  ['a method with a colon', `GET: /one HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['an endless method', `${'A'.repeat(10_000)} /one HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['a beginning of TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
];

/** Whom a request is for, and what concerns its connection alone. */
const routes: readonly Row[] = [
  ['CONNECT', `CONNECT a:80 HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['CONNECT with a path', `CONNECT /one HTTP/1.1\r\n${host}\r\n${hidden}`],
  ['TRACE', `TRACE /one HTTP/1.1\r\n${host}\r\n${hidden}`, [405]],
  ['a target in absolute form', `GET http://b/one HTTP/1.1\r\n${host}\r\n`, [200]],
  ['a target in absolute form without a path', `GET http://b?one HTTP/1.1\r\n${host}\r\n`, [200]],
  ['a target in absolute form with a user', `GET http://a@b/one HTTP/1.1\r\n${host}\r\n`],
  ['a target in absolute form of another scheme', `GET gopher://b/one HTTP/1.1\r\n${host}\r\n`],
  ['a target in authority form', `GET b:80 HTTP/1.1\r\n${host}\r\n`],
  ['a target that is no form', `GET @b/one HTTP/1.1\r\n${host}\r\n`],
  ['an asterisk', `GET * HTTP/1.1\r\n${host}\r\n`],
  ['OPTIONS of an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, [200]],
  ['no host', `GET /one HTTP/1.1\r\n\r\n`],
  ['two hosts', `GET /one HTTP/1.1\r\n${host}Host: b\r\n\r\n`],
  ['two hosts that agree', `GET /one HTTP/1.1\r\n${host}${host}\r\n`],
  ['a host with a path', `GET /one HTTP/1.1\r\nHost: a/b\r\n\r\n`],
  ['a host with a user', `GET /one HTTP/1.1\r\nHost: a@b\r\n\r\n`],
  ['a host with a space', `GET /one HTTP/1.1\r\nHost: a b\r\n\r\n`],
  ['a host with a comma', `GET /one HTTP/1.1\r\nHost: a, b\r\n\r\n`],
  ['a host with a port that is none', `GET /one HTTP/1.1\r\nHost: a:80b\r\n\r\n`],
  ['a host that is folded', `GET /one HTTP/1.1\r\nHost:\r\n a\r\n\r\n`],
  ['a host with a space before the colon', `GET /one HTTP/1.1\r\nHost : a\r\n\r\n`],
  ['a host that Connection names', `GET /one HTTP/1.1\r\n${host}Connection: host\r\n\r\n`],
  ['an empty host', `GET /one HTTP/1.1\r\nHost:\r\n\r\n`, [200]],
  ['fields that Connection names', post('Connection: Cookie, X-Forwarded-For, X\r\nCookie: a\r\nX: y\r\n'), [200]],
  ['fields that name themselves', post('Connection: Connection, Keep-Alive, TE\r\nTE: chunked\r\n'), [200]],
  ['a Connection that is no list', post('Connection: a b\r\n')],
  ['a Connection with a quote', post('Connection: "close"\r\n')],
  ['Proxy-Connection and Keep-Alive', post('Proxy-Connection: close\r\nKeep-Alive: max=1\r\n'), [200]],
  ['another behind a Connection that closes', `GET /one HTTP/1.1\r\n${host}Connection: close\r\n\r\n${hidden}`, [200]],
  ['another behind HTTP/1.0', `GET /one HTTP/1.0\r\n${host}\r\n${hidden}`, [200]],
  [
    'a second one that keeps HTTP/1.0',
    `GET /one HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n${hidden}`,
    [200, 200],
  ],
  ['two in a row', `GET /one HTTP/1.1\r\n${host}\r\n${hidden}`, [200, 200]],
  [
    'an upgrade that nobody makes',
    `GET /one HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: x\r\n\r\n${hidden}`,
    [200, 200],
  ],
  [
    'an upgrade to HTTP/2',
    `GET /one HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n${hidden}`,
    [200, 200],
  ],
  [
    'an upgrade with a body',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n', `hello${hidden}`),
    [200, 200],
  ],
  [
    'an upgrade with a version that is none',
    `GET /one HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n\r\n${hidden}`,
    [200, 200],
  ],
  ['an upgrade without Connection', `GET /one HTTP/1.1\r\n${host}Upgrade: websocket\r\n\r\n${hidden}`, [200, 200]],
];

/** Expect, and requests that end before their body. */
const expectations: readonly Row[] = [
  ['an Expect with a body', post('Expect: 100-continue\r\nContent-Length: 5\r\n', `hello${hidden}`), [200, 200]],
  ['an Expect without a body', post('Expect: 100-continue\r\n', hidden), [200, 200]],
  ['an Expect with chunks', post(`Expect: 100-continue\r\n${chunked}`, `${hex}\r\n${hidden}\r\n0\r\n\r\n`), [200]],
  [
    'an Expect that is obfuscated',
    post('Expect: y 100-continue\r\nContent-Length: 5\r\n', `hello${hidden}`),
    [200, 200],
  ],
  ['an Expect with a space before the colon', post('Expect : 100-continue\r\nContent-Length: 5\r\n', `hello${hidden}`)],
  ['an Expect that is folded', post('Expect:\r\n 100-continue\r\nContent-Length: 5\r\n', `hello${hidden}`)],
  [
    'an Expect in HTTP/1.0',
    post('Expect: 100-continue\r\nContent-Length: 5\r\nConnection: keep-alive\r\n', `hello${hidden}`).replace(
      '1.1',
      '1.0',
    ),
    [200, 200],
  ],
  [
    'an Expect that Connection names',
    post('Connection: Expect\r\nExpect: 100-continue\r\nContent-Length: 5\r\n', `hello${hidden}`),
    [200, 200],
  ],
  ['an Expect whose body does not come', post(`Expect: 100-continue\r\nContent-Length: ${size}\r\n`), []],
  ['a body that does not come', post(`Content-Length: ${size + 1}\r\n`, hidden), []],
];

/** What is passed on in the usual mode although servers differ over it: the connections end. */
const odd: readonly Payload[] = [
  ...[
    'Content_Length: 5',
    'Content.Length: 5',
    'content_length: 0',
    'Transfer_Encoding: chunked',
    'Transfer.Encoding: chunked',
  ].map(
    (line): Payload => ({
      name: `a field that looks like framing: ${line}`,
      send: `${post(`Content-Length: ${size}\r\n${line}\r\n`, hidden)}GET /two HTTP/1.1\r\n${host}\r\n`,
      answers: [200],
      monitor: [200, 200],
      strictest: refused,
    }),
  ),
  ...['GET', 'HEAD'].flatMap((method): Payload[] => [
    {
      name: `${method} with a body`,
      send: `${post(`Content-Length: ${size}\r\n`, hidden).replace('POST', method)}GET /two HTTP/1.1\r\n${host}\r\n`,
      answers: [200],
      monitor: [200, 200],
      strictest: refused,
    },
    {
      name: `${method} with chunks`,
      send: `${inChunks(`${hex}\r\n${hidden}\r\n0\r\n\r\n`).replace('POST', method)}GET /two HTTP/1.1\r\n${host}\r\n`,
      answers: [200],
      monitor: [200, 200],
      strictest: refused,
    },
    {
      name: `${method} with an Expect and a body that does not come`,
      send: post(`Expect: 100-continue\r\nContent-Length: ${size}\r\n`).replace('POST', method),
      answers: [],
      strictest: refused,
    },
    {
      name: `${method} with a length of nought`,
      send: `${post('Content-Length: 0\r\n').replace('POST', method)}GET /two HTTP/1.1\r\n${host}\r\n`,
      answers: [200, 200],
      strictest: refused,
    },
  ]),
  {
    name: 'a byte above ASCII in a value',
    send: post('X: \x85\xa0\xff\r\n', `GET /two HTTP/1.1\r\n${host}\r\n`),
    answers: [200, 200],
    strictest: refused,
  },
];

function payload([name, send, answers = refused]: Row): Payload {
  return { name, send, answers };
}

export const smugglingPayloads: readonly Payload[] = [
  ...bothFramings.map(payload),
  ...codings.map(
    ([name, line, answers]): Payload => ({
      name: `chunks, the coding ${name}`,
      send: chunksWith(line),
      answers: answers ?? refused,
    }),
  ),
  // With a length besides, none of them passes.
  ...codings.map(
    ([name, line]): Payload => ({ name: `CL.TE, the coding ${name}`, send: lengthAndChunks(line), answers: refused }),
  ),
  ...[...lengths, ...chunks, ...lines, ...routes, ...expectations].map(payload),
  ...odd,
];
