package main

import "strings"

// function is one that templates call: which arguments fit, and what comes out.
type function struct {
	name      string
	arguments []kind
	variadic  bool
	result    kind
	sprig     bool
	// exact functions would do what cannot be repeated (read the clock, look past the length of a slice) if they were
	// given anything else than what fits.
	exact bool
}

// parseVocabulary reads lines `NAME ARGUMENT… > RESULT`. An argument that ends in a star may be there any number of
// times. `any` fits everything, `number` every number, `sequence` every list; other words that are no kind name a pool
// of literals.
func parseVocabulary(lines string, sprig bool) []function {
	var functions []function
	for line := range strings.Lines(lines) {
		head, result, ok := strings.Cut(line, " > ")
		if !ok {
			continue
		}
		words := strings.Fields(head)
		f := function{name: words[0], result: kind(strings.TrimSpace(result)), sprig: sprig}
		f.name, f.exact = strings.CutSuffix(f.name, "!")
		for _, word := range words[1:] {
			name, star := strings.CutSuffix(word, "*")
			f.variadic = star
			f.arguments = append(f.arguments, kind(name))
		}
		functions = append(functions, f)
	}
	return functions
}

var vocabulary = append(parseVocabulary(plainVocabulary, false), parseVocabulary(sprigVocabulary, true)...)

const plainVocabulary = `
len sequence > int
len text > int
len dict > int
print any* > text
println any* > text
printf format any > text
printf format any any > text
printf format any any any > text
printf numberformat number > text
printf textformat text > text
html any > text
html text > text
js text > text
urlquery text > text
and any any > any
or any any* > any
not any > bool
eq text text* > bool
eq int int* > bool
eq float float > bool
eq any any > bool
ne text text > bool
ne int int64 > bool
lt int int > bool
le text text > bool
gt float float > bool
ge int int64 > bool
index list small > any
index strings small > text
index ints small > int
index dict key > any
index textmap key > text
index any key > any
slice! exactlist small > list
slice! text small > text
slice! exactlist small small > list
slice! text small small > text
twice text > text
addInts int* > int
pair any any > list
takesInt8 small > other
takesUint small > other
takesFloat float > float
takesBool bool > bool
takesMap dict > int
takesList list > int
takesPerson person > text
takesPersonPtr pointer > text
untypedNil > nil
person > person
call any any > any
`

const sprigVocabulary = `
upper text > text
lower text > text
title text > text
untitle text > text
trim text > text
trimAll text text > text
trimSuffix text text > text
trimPrefix text text > text
repeat small text > text
substr small small text > text
nospace text > text
trunc small text > text
abbrev width text > text
abbrevboth small width text > text
initials text > text
swapcase text > text
snakecase text > text
camelcase text > text
kebabcase text > text
wrap width text > text
wrapWith width text text > text
contains text text > bool
hasPrefix text text > bool
hasSuffix text text > bool
quote any* > text
squote any* > text
cat any* > text
indent small text > text
nindent small text > text
replace text text text > text
plural text text int > text
sha1sum text > text
sha256sum text > text
sha512sum text > text
adler32sum text > text
toString any > text
toStrings any > strings
atoi text > int
int any > int
int64 any > int64
float64 any > float
toDecimal any > int64
add number* > int64
add1 number > int64
sub number number > int64
mul number number* > int64
div number number > int64
mod number number > int64
addf number* > float
subf number number* > float
mulf number number > float
divf number number > float
max number number* > int64
min number number* > int64
maxf number number > float
minf number number* > float
ceil number > float
floor number > float
round number small > float
until small > ints
untilStep small small step > ints
seq small small > text
split separator text > textmap
splitList separator text > strings
splitn separator small text > textmap
join separator sequence > text
join separator any > text
sortAlpha sequence > strings
default any any > any
default text text > text
empty any > bool
coalesce any any* > any
all any any* > bool
any any* > bool
ternary any any bool > any
ternary text text bool > text
compact sequence > list
toJson any > text
toPrettyJson any > text
toRawJson any > text
mustToJson any > text
fromJson json > any
mustFromJson json > any
typeOf any > text
kindOf any > text
kindIs kindname any > bool
typeIs typename any > bool
deepEqual any any > bool
base path > text
dir path > text
clean path > text
ext path > text
isAbs path > bool
b64enc text > text
b64dec text > text
b64dec base64 > text
b32enc text > text
b32dec text > text
list any* > list
list text text* > list
tuple any any > list
dict key any > dict
dict key any key any > dict
dict key any key text key int > dict
get dict key > any
set dict key any > dict
unset dict key > dict
hasKey dict key > bool
pluck key dict dict > list
pick dict key key* > dict
omit dict key* > dict
merge dict dict > dict
mergeOverwrite dict dict > dict
mustMerge dict dict > dict
dig key text dict > any
dig key key any dict > any
deepCopy any > any
append sequence any > list
prepend sequence any > list
concat sequence sequence > list
first sequence > any
rest sequence > list
last sequence > any
initial sequence > list
reverse sequence > list
uniq sequence > list
without sequence any* > list
has any sequence > bool
mustHas any sequence > bool
mustFirst any > any
chunk step sequence > other
semverCompare constraint version > bool
regexMatch regex text > bool
regexFind regex text > text
regexFindAll regex text small > strings
regexReplaceAll regex text replacement > text
regexReplaceAllLiteral regex text text > text
regexSplit regex text small > strings
mustRegexMatch regex text > bool
regexQuoteMeta text > text
urlParse url > dict
urlJoin dict > text
fail text > text
toDate! layout datetext > time
mustToDate! layout datetext > time
date! layout moment > text
dateInZone! layout moment zone > text
htmlDate! moment > text
htmlDateInZone! moment zone > text
dateModify! duration instant > time
mustDateModify! duration instant > time
unixEpoch! instant > text
duration! seconds > text
durationRound! duration > text
`

// literals are the pools for arguments that must look like something.
var literals = map[kind][]string{
	"small":     {"0", "1", "2", "3", "5", "1", "0", "2", "-1", "4", "7"},
	"width":     {"4", "5", "8", "10", "12", "20", "3", "0"},
	"step":      {"1", "2", "3", "-1", "5"},
	"separator": {`","`, `"-"`, `""`, `" "`, `"/"`, `"."`, "`, `"},
	"kindname":  {`"string"`, `"int"`, `"map"`, `"slice"`, `"float64"`, `"invalid"`},
	"typename":  {`"string"`, `"int"`, `"[]interface {}"`, `"map[string]interface {}"`, `"float64"`},
	"path":      {`"/a/b/../c.txt"`, `"a//b"`, `""`, `"./x.tar.gz"`, `"/"`, `"../up"`, `"dir.d/"`},
	"base64":    {`"aGVsbG8="`, `"YQ=="`, `"!!"`, `"YWI"`, `""`},
	"url": {
		`"http://user:pw@host:8080/p/q?x=1#f"`, `"/only/path?y"`, `"mailto:a@b"`, `""`, `"https://[::1]/%41"`, `"http://%zz"`,
	},
	"json": {
		`"{\"a\":[1,2.5,null],\"b\":{\"c\":\"d\"}}"`, "`[1,\"x\",true]`", `"5"`, `"\"text\""`, `"{bad"`, "`{\"name\":\"n\",\"x\":{}}`",
	},
	"regex": {
		`"[a-z]+"`, `"^a"`, `"o"`, `"(\\w)(\\w)"`, `"\\s+"`, `"x*"`, `"[0-9]{2,}"`, `"(?i)HELLO"`, `"."`, "`\\d+|b`", `"[bad"`,
		`"\\p{L}+"`, `"(?P<n>.)$"`, `""`,
	},
	"replacement": {`"X"`, `"[$0]"`, `"$1-$2"`, `"${n}!"`, `""`, `"$"`},
	"version":     {`"1.2.3"`, `"v2.0.0-rc.1"`, `"1.10"`, `"0.3.1+b5"`, `"bad"`},
	"constraint":  {`">=1.2"`, `"^1.2.3"`, `"~1.2 || >2"`, `"!=1.2.3"`, `"1.x"`, `">1, <3-0"`, `"=>"`},
	"layout": {
		`"2006-01-02"`, `"2006-01-02"`, `"2006-01-02"`, `"2006-01-02"`,
		`"2006-01-02"`, `"Jan 2, 2006 at 3:04pm (MST)"`, `"Mon 02/01/06 15:04:05.000"`, `"2006-01-02T15:04:05Z07:00"`, `"_2 January 002"`,
	},
	"datetext": {`"2020-02-29"`, `"2024-11-05"`, `"1970-01-01"`, `"1999-12-31"`, `"2021-06-15T10:20:30+02:00"`, `"nonsense"`},
	"moment": {
		"0", "1500000000", "-86400", "1583020799", `(toDate "2006-01-02" "2020-02-29")`,
		`(toDate "2006-01-02T15:04:05Z07:00" "2021-06-15T10:20:30+02:00")`,
	},
	"instant": {
		`(toDate "2006-01-02" "2020-02-29")`, `(toDate "2006-01-02T15:04:05Z07:00" "2021-06-15T10:20:30+02:00")`,
		`(toDate "2006-01-02 15:04:05.999" "1969-07-20 20:17:40.5")`, "0",
	},
	"zone":     {`"UTC"`, `"America/New_York"`, `"Europe/Berlin"`, `"Asia/Kolkata"`, `"Nowhere"`, `""`},
	"duration": {`"1h30m"`, `"-90s"`, `"500ms"`, `"26h"`, `"x"`, `"10000h"`},
	"seconds":  {`"95"`, `"-3600"`, `"x"`, `"86400"`},
	"format": {
		`"%v"`, `"%+v"`, `"%#v"`, `"%T"`, `"%s"`, `"%d"`, `"%q"`, `"%x"`, `"%v|%v"`, `"%s=%d"`, `"%-8v|"`, `"%08v"`, `"%[2]v %[1]v"`, `"%6.2f|%v"`,
		`"%*d"`, `"%!"`, `"%d%%"`, `"%t"`, `"%v %v %v"`, `"no verb"`, `"%U %c"`, `"%z"`,
	},
	"numberformat": {
		`"%d"`, `"%5d"`, `"%-5d|"`, `"%05d"`, `"%+d"`, `"%x"`, `"%#X"`, `"%o"`, `"%b"`, `"%c"`, `"%q"`, `"%U"`, `"%e"`, `"%.3f"`, `"%8.2f"`, `"%g"`,
		`"%G"`, `"% d"`, `"%.0f"`, `"%+.2e"`, `"%v"`, `"%06.2f"`,
	},
	"textformat": {
		`"%s"`, `"%q"`, `"%10s|"`, `"%-10s|"`, `"%.3s"`, `"%x"`, `"% X"`, `"%+q"`, `"%#q"`, `"%v"`, `"%#v"`, `"%8.2q|"`, `"%05s"`,
	},
}
