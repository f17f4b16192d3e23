"""Word lists for invented artists, labels and titles. Genre, style and country words are Discogs' own."""

FIRST = (
    "Anneke", "Bastian", "Corisande", "Delphine", "Eskil", "Fenna", "Giorgi", "Hedda", "Idris", "Jorunn",
    "Kasimir", "Linnea", "Matthis", "Noor", "Oriel", "Perpetua", "Quillon", "Rasmina", "Sorrel", "Toma",
    "Ulrike", "Vashti", "Wendeline", "Xanthe", "Yevgen", "Zofia",
)  # fmt: skip
SURNAME = (
    "Oray", "Tamberlin", "Vesk", "Marlowe-Quist", "Halgrim", "Okonjo-Reed", "Brackwater", "Sandovar",
    "Ilmari", "Pellworth", "Drumgoole", "Castelwick", "Fenwright", "Abernoth", "Lindqvarn", "Morrowitz",
    "Quenneville-Roe", "Tarkowen", "Vandermeerle", "Ysolde", "Zelnik-Bart", "Ravensholt", "Kuyperdal",
    "Esterwyn",
)  # fmt: skip
ADJECTIVE = (
    "Amber", "Borrowed", "Copper", "Distant", "Electric", "Faded", "Gentle", "Hollow", "Idle", "Jade",
    "Kindred", "Lantern", "Midnight", "Northern", "Obsidian", "Paper", "Quiet", "Restless", "Salted",
    "Tidal", "Ultraviolet", "Velvet", "Winter", "Yellow", "Zinc",
)  # fmt: skip
NOUN = (
    "Almanac", "Beacon", "Causeway", "Driftwood", "Engine", "Ferry", "Granary", "Harbour", "Isthmus",
    "Junction", "Kiln", "Ledger", "Meridian", "Nocturne", "Orchard", "Pavilion", "Quarry", "Reservoir",
    "Signal", "Terminal", "Underpass", "Viaduct", "Weathervane", "Yard", "Zephyr",
)  # fmt: skip
PLACE = (
    "Ostermark", "Bellhaven", "the Eastern Pier", "Calder Vale", "Room 14", "the Salt Works",
    "Linden Street", "Vesterbro Hall", "the Long Acre", "Kilometre 9",
)  # fmt: skip
SYLLABLE = (
    "ok", "to", "vel", "mar", "zu", "ren", "ix", "an", "thu", "lo", "bri", "ska", "um", "fen", "ya", "dro",
)  # fmt: skip
LABEL_WORD = (
    "Tin Lantern", "Low Harbour", "Quayside", "Redshift Lane", "Paper Moth", "Ninefold", "Gravel & Silk",
    "Isobar", "Second Orchard", "Kettle Hole", "Dial Tone Hill", "Blue Ledger", "Moss Static",
    "Attic Weather", "Cold Spring Press", "Sundry", "Half Acre", "Longshore", "Vermilion Box",
    "Tram Seven",
)  # fmt: skip
LABEL_END = ("Records", "Recordings", "", "Music", "Discs", "Editions", "Tapes", "Sound")
COUNTRIES = (
    "US", "US", "US", "UK", "UK", "Germany", "Germany", "France", "Japan", "Netherlands", "Italy",
    "Canada", "Sweden", "Europe", "Australia", "Brazil", "Jamaica", "Belgium", "UK & Europe",
)  # fmt: skip
STYLES = {
    "Electronic": ("Techno", "House", "Ambient", "Downtempo", "IDM", "Drum n Bass", "Deep House", "Electro"),
    "Rock": ("Alternative Rock", "Indie Rock", "Psychedelic Rock", "Prog Rock", "Post-Punk", "Shoegaze"),
    "Jazz": ("Hard Bop", "Modal", "Free Jazz", "Fusion", "Soul-Jazz", "Cool Jazz", "Jazz-Funk"),
    "Funk / Soul": ("Soul", "Funk", "Disco", "Rhythm & Blues", "Neo Soul", "Boogie"),
    "Hip Hop": ("Boom Bap", "Instrumental", "Conscious", "Trip Hop", "Jazzy Hip-Hop"),
    "Pop": ("Synth-pop", "Chanson", "Indie Pop", "Ballad", "City Pop"),
    "Folk, World, & Country": ("Folk", "Country", "African", "Fado", "Celtic", "Highlife"),
    "Reggae": ("Dub", "Roots Reggae", "Rocksteady", "Lovers Rock"),
    "Classical": ("Contemporary", "Baroque", "Modern", "Romantic", "Impressionist"),
    "Blues": ("Electric Blues", "Delta Blues", "Chicago Blues"),
    "Latin": ("Bossanova", "Samba", "Salsa", "MPB", "Cumbia"),
    "Stage & Screen": ("Soundtrack", "Score", "Theme"),
}
GENRE_WEIGHTS = (26, 24, 12, 9, 7, 7, 4, 4, 3, 2, 3, 2)
# (name, quantity, descriptions, weight)
FORMATS = (
    ("Vinyl", 1, ("LP", "Album"), 38),
    ("Vinyl", 1, ("LP", "Album", "Reissue"), 14),
    ("Vinyl", 2, ("LP", "Album", "Gatefold"), 8),
    ("Vinyl", 1, ('12"', "33 ⅓ RPM"), 11),
    ("Vinyl", 1, ('7"', "45 RPM", "Single"), 9),
    ("Vinyl", 3, ("LP", "Compilation", "Limited Edition", "Numbered"), 2),
    ("CD", 1, ("Album",), 11),
    ("CD", 2, ("Album", "Compilation"), 2),
    ("Cassette", 1, ("Album",), 4),
    ("Box Set", 1, ("Compilation", "Remastered"), 1),
)
FORMAT_TEXTS = (
    "", "", "", "", "180 g", "Blue Translucent", "Gatefold", "Clear", "White Label", "Test Pressing",
)  # fmt: skip
NOTES = ("", "", "Recorded at [l=Sundry] in one night.\r\n\r\nComes with an insert.", "Promo copy.")
# Titles that break careless pages, exports and logs. Each occurs in the demo collection.
ODD_TITLES = (
    "<script>alert('crate')</script>",
    "Songs For [a=Delphine Oray] & [l=Isobar] [r12]",
    "شارع المطر القديم",
    "\u200fאור בחלון\u200f (Live)",
    "🌊 Tidewater 🦀 EP 👩‍🎤",
    "=SUM(A1:A9)*2",
    "+49 Hotline",
    "-Minus-",
    "@home / At Home",
    "\"Quoted\" & 'Apostrophes' – Vol. 2",
    "<b>Bold</b> Claims &amp; <img src=x onerror=alert(1)>",
    "{{ seven|times }} {% now %} %s %(n)d ${x}",
    "静かな海の地図",
    "Z̸͓̈a̷͚͝l̶̰̑g̵̼̍o̴̞͠ Waltz",
    "A Complete And Faithful Account Of Everything That Was Heard On The Night Boat Between Ostermark "
    "And Bellhaven, Including The Engine, The Gulls, Two Arguments, A Song In Three Languages, The Steward's "
    "Radio, And The Long Silence Before The Harbour, Recorded Without Permission And Presented Here Without Cuts",
    "'; DROP TABLE releases; --",
)
