"""Word tables of the generated sample corpus.

Each table has one row per line, columns separated by ``|`` and the alternatives within a column by ``,``. A row lists a
word's forms and the words it co-occurs with; no row relates two word pairs.
"""

Row = tuple[tuple[str, ...], ...]


def rows(table: str) -> list[Row]:
    """Parse a table into rows; each column is a tuple of alternatives.

    Example:
        >>> rows("king, queen | crown, throne")
        [(('king', 'queen'), ('crown', 'throne'))]
    """
    return [
        tuple(tuple(cell.strip() for cell in column.split(",")) for column in line.split("|")) for line in lines(table)
    ]


def lines(text: str) -> list[str]:
    """Split ``text`` into lines; an indented line continues the previous one."""
    return [" ".join(line.split()) for line in text.strip().replace("\n ", " ").splitlines()]


# he, she | places | things | deeds
NOBLES = """
king, queen | kingdom, realm, royal palace | crown, throne, sceptre, coronation | ruled the kingdom with a gentle
    hand, sat on the golden throne, was crowned before the whole realm, reigned over the kingdom for forty years,
    opened the royal parliament
prince, princess | royal nursery, castle tower, royal garden | tutor, white pony, royal lessons, birthday feast |
    learned to dance at the royal ball, would one day inherit the crown, was heir to the throne, played with a white
    pony in the royal garden, was born in the castle and christened with great joy
emperor, empress | empire, imperial city, marble court | legions, provinces, jade seal, imperial fleet | commanded
    the legions of the empire, sent envoys to the far provinces, built the imperial city of marble, received tribute
    from every province, wore a robe of imperial purple
duke, duchess | duchy, country estate, ballroom | hunting lodge, stables, portrait, carriage | owned half the land
    of the duchy, gave a grand ball at the estate, kept fine horses in the stables, opened the hunting season,
    arrived in a black carriage
baron, baroness | manor, valley, wine cellar | tenants, vineyards, coat of arms, rents | collected the rents from
    the tenants, lived alone in the old manor, owned the vineyards of the valley, lent money to the poor tenants,
    hung the coat of arms above the manor gate
sultan, sultana | desert palace, moonlit garden, bazaar | turban, camels, jewels, date palms | crossed the desert
    with a hundred camels, sat on silk cushions under the date palms, bought rare jewels in the bazaar, listened to
    tales for a thousand nights, drank mint tea in the desert palace
lord, lady | great hall, village church, drawing room | hounds, servants, library, silver spoons | dined late in the
    great hall, rang the bell for the servants, walked the hounds across the moor, gave silver spoons to the village
    church, read by candlelight in the library
"""

# he, she | places | things | deeds
RELATIVES = """
father, mother | kitchen, family home, nursery | children, baby, parenthood, family supper | tucked the children
    into bed, fed the baby with a spoon, raised five children, cooked supper for the whole family, scolded the
    children and then kissed them
son, daughter | schoolroom, childhood home, nursery | parents, inheritance, upbringing, childhood | made both
    parents proud, was the eldest of the three children, inherited the parents house, left home to study at the
    university, wrote home to the parents
brother, sister | shared bedroom, tree house, attic | siblings, twin, secret games, toys | quarrelled over the toys,
    was a twin, shared a bedroom with the other siblings, told the siblings a secret in the attic, borrowed a
    sweater and never returned it
uncle, aunt | seaside cottage, farm, guest room | cousins, presents, postcards, old motorcar | brought presents for
    the cousins, came to stay for the holidays, sent postcards from abroad, invited the cousins to the seaside
    cottage, slept in the guest room
grandfather, grandmother | rocking chair, porch, old cottage | grandchildren, spectacles, wrinkles, memories | told
    the grandchildren stories of long ago, dozed in the rocking chair, had silver hair and many wrinkles, looked
    over a pair of spectacles, remembered the old days
husband, wife | wedding hall, marriage bed, new apartment | wedding ring, marriage, anniversary, honeymoon |
    celebrated the wedding anniversary, wore a gold wedding ring, promised to be faithful in marriage, packed for
    the honeymoon, signed the marriage papers
nephew, niece | holiday camp, guest room, boarding school | school report, pocket money, birthday card, holidays |
    was sent a birthday card with pocket money, spent the holidays on the farm, was away at boarding school, wrote
    from the holiday camp, showed everyone the school report
grandson, granddaughter | sandbox, porch, playground | lullaby, first steps, building blocks, picture book | took
    the first steps on the porch, fell asleep to a lullaby, played with building blocks, pointed at the picture
    book, was the pride of the old couple
bridegroom, bride | altar, chapel, wedding feast | vows, bouquet, wedding cake, veil | stood before the altar, spoke
    the vows in a trembling voice, cut the wedding cake, danced first at the wedding feast, waited nervously in the
    chapel
stepfather, stepmother | second home, new household, divided house | remarriage, stepchildren, first marriage,
    divorce | tried to win over the stepchildren, moved in after the divorce, joined the new household, was patient
    with the stepchildren, spoke kindly of the first marriage
"""

# he, she | places | things | deeds
PEOPLE = """
man, woman | street, office, village, market | coat, job, umbrella, newspaper | went to work in the office, crossed
    the busy street, waited for a bus in the rain, voted in the election, read a newspaper on the bench, bought
    vegetables at the market
boy, girl | school, playground, classroom | toys, homework, kite, marbles | did the homework before supper, climbed
    a tree after school, flew a kite in the playground, was only nine years old, raised a hand in the classroom,
    skipped all the way to school
actor, actress | theatre, stage, film studio | script, applause, costume, rehearsal | learned the script by heart,
    bowed to the applause, forgot the lines on stage, won a prize for the film, rehearsed in the empty theatre
waiter, waitress | restaurant, cafe, dining room | tray, menu, tips, apron | brought the menu and a jug of water,
    carried a tray of glasses, cleared the tables in the cafe, spilled soup on a guest, counted the tips at closing
    time
monk, nun | monastery, cloister, convent | prayers, rosary, candles, silence | rose before dawn for prayers, kept a
    vow of silence, tended the herbs in the cloister, copied the holy book by hand, lit candles for the sick
wizard, witch | enchanted forest, dark tower, cave | spell, wand, cauldron, potion | cast a spell on the frog,
    stirred the potion in the cauldron, waved a wand and vanished, talked to owls in the enchanted forest, read the
    stars from the dark tower
hero, heroine | last chapter, legend, battlefield | quest, adventure, brave deeds, destiny | saved the village from
    the dragon, set out on a long quest, was praised in every legend, fought bravely to the last chapter, met a
    strange destiny
shepherd, shepherdess | hillside, meadow, pasture | flock, lambs, crook, sheepdog | counted the lambs at dusk, led
    the flock over the hillside, whistled to the sheepdog, carried a lost lamb home, sheared the sheep in spring
"""

# placeholder | male | female
GENDER = """
he | he | she
his | his | her
him | him | her
himself | himself | herself
hair | beard, moustache, side-whiskers | braids, curls, long tresses
garment | waistcoat, trousers, top hat, cravat | gown, skirt, bonnet, earrings
sir | sir | madam
mr | mr | mrs
fellow | gentleman, fellow, lad, chap | gentlewoman, maiden, lass, dame
"""

MEN = """john henry william george thomas edward peter paul charles arthur robert hugh simon martin oliver walter frank
harold edgar albert oscar felix hector leo max jacob samuel daniel david stephen philip gilbert ralph roger victor
rupert julian adam noah isaac luke mark matthew andrew james joseph patrick conrad edmund ernest"""

WOMEN = """mary anne elizabeth jane margaret catherine alice emma charlotte sophie helen grace lucy martha rose clara
edith agnes julia laura nora eleanor beatrice matilda isabel flora hannah rachel sarah ruth esther judith susan emily
harriet louise caroline victoria diana irene ida olive ivy daisy violet amelia cecilia frances josephine winifred"""

# country | capital | other cities | adjective | river or sea | food | sight | goods
COUNTRIES = """
france | paris | lyon, marseille | french | seine, loire | croissants, baguettes, camembert | cathedrals, vineyards
    of burgundy | champagne, perfume
germany | berlin | munich, hamburg | german | rhine, elbe | sausages, pretzels, sauerkraut | black forest, bavarian
    castles | engines, beer
italy | rome | milan, naples | italian | tiber, arno | pasta, pizza, risotto | colosseum, tuscan hills | marble,
    sports cars
spain | madrid | barcelona, seville | spanish | ebro, guadalquivir | paella, tapas, chorizo | bullrings, plazas of
    castile | oranges, guitars
portugal | lisbon | porto, coimbra | portuguese | tagus, douro | sardines, custard tarts, salt cod | fado houses,
    painted tiles | cork, port wine
greece | athens | thessaloniki, patras | greek | aegean | olives, feta, moussaka | acropolis, whitewashed islands |
    sponges, olive oil
england | london | manchester, liverpool | english | thames, severn | puddings, crumpets, roast beef | abbeys, chalk
    cliffs | wool, teapots
ireland | dublin | cork, galway | irish | liffey, shannon | stew, soda bread, colcannon | peat bogs, round towers |
    whiskey, linen
sweden | stockholm | gothenburg, uppsala | swedish | baltic archipelago | meatballs, crispbread, lingonberries | red
    wooden cabins, midsummer poles | matches, steel
norway | oslo | bergen, trondheim | norwegian | fjords | smoked salmon, brown cheese, cod | stave churches, northern
    lights | timber, skis
denmark | copenhagen | aarhus, odense | danish | sound | pastries, open sandwiches, pickled herring | windmills,
    little mermaid | bacon, toy bricks
finland | helsinki | tampere, turku | finnish | thousand lakes | rye bread, cloudberries, reindeer stew | saunas,
    birch forests | paper, glassware
poland | warsaw | krakow, gdansk | polish | vistula, oder | pierogi, beetroot soup, poppy cake | salt mines, baltic
    dunes | amber, coal
russia | moscow | kazan, novgorod | russian | volga, neva | blinis, caviar, borscht | kremlin, onion domes | furs,
    samovars
austria | vienna | salzburg, graz | austrian | upper danube | schnitzel, strudel, chocolate torte | opera houses,
    alpine meadows | waltzes, crystal
hungary | budapest | debrecen, szeged | hungarian | tisza, lower danube | goulash, paprika, plum dumplings | thermal
    baths, wide puszta | tokay, violins
turkey | ankara | istanbul, izmir | turkish | bosphorus | kebabs, baklava, halva | minarets, cave chimneys of
    cappadocia | carpets, hazelnuts
egypt | cairo | alexandria, luxor | egyptian | nile | falafel, flatbread, lentils | pyramids, sphinx | cotton, papyrus
china | beijing | shanghai, canton | chinese | yangtze | noodles, dumplings, roast duck | great wall, pagodas |
    silk, porcelain
japan | tokyo | osaka, kyoto | japanese | inland sea | sushi, ramen, rice cakes | shrines, cherry blossoms of fuji |
    cameras, lacquer
india | delhi | mumbai, calcutta | indian | ganges | curry, chutney, naan | taj mahal, hill stations | spices,
    cashmere
vietnam | hanoi | saigon, hue | vietnamese | mekong | spring rolls, noodle soup, lemongrass | rice terraces,
    floating markets | pepper, bamboo
persia | tehran | isfahan, shiraz | persian | caspian | saffron rice, pomegranates, pistachios | turquoise mosques,
    rose gardens | rugs, miniatures
kenya | nairobi | mombasa, kisumu | kenyan | tana | maize porridge, goat stew, mangoes | savanna, lion reserves |
    coffee beans, soapstone
morocco | rabat | casablanca, fez | moroccan | atlantic surf | couscous, tagine, preserved lemons | souks, atlas
    foothills | leather slippers, argan oil
peru | lima | cusco, arequipa | peruvian | amazon headwaters | ceviche, quinoa, purple corn | inca ruins, nazca
    lines | alpaca wool, copper
chile | santiago | valparaiso, concepcion | chilean | biobio | empanadas, conger stew, avocados | atacama
    observatories, stone heads | nitrate, grapes
cuba | havana | trinidad, camaguey | cuban | gulf stream | black beans, plantains, roast pork | sugar mills, tobacco
    barns | cigars, rum
canada | ottawa | toronto, montreal | canadian | saint lawrence | maple syrup, pancakes, butter tarts | niagara,
    rocky mountains | lumber, hockey sticks
australia | canberra | sydney, melbourne | australian | murray, coral sea | lamb chops, meat pies, macadamias |
    outback, barrier reef | opals, merino wool
"""

# singular, plural | what it does (base form) | words it co-occurs with
THINGS = """
cat, cats | purr, chase mice | whiskers, kittens, milk saucer
dog, dogs | bark, fetch sticks | leash, kennel, bone
horse, horses | gallop, neigh | saddle, bridle, hooves
cow, cows | moo, chew grass | udder, milking stool, dairy barn
bird, birds | sing, build nests | feathers, nest, birdcage
lion, lions | roar, hunt zebras | mane, pride, savage claws
elephant, elephants | trumpet, lift logs | trunk, ivory tusks, wrinkled ears
monkey, monkeys | swing from branches, chatter | bananas, jungle vines, long tail
snake, snakes | hiss, slither | venom, fangs, shed skin
spider, spiders | spin webs, crawl | cobweb, eight legs, trapped fly
butterfly, butterflies | flutter, drink nectar | caterpillar, bright wings, flower bed
rabbit, rabbits | hop, nibble carrots | burrow, long ears, hutch
apple, apples | ripen, fall from the branch | orchard, cider, pie crust
pear, pears | soften, hang from the bough | syrup, pear tree, paring knife
cherry, cherries | stain fingers, glow red | stone, jam jar, stem
potato, potatoes | boil, sprout in the dark | peel, sack, muddy field
tomato, tomatoes | redden, climb a stake | vine, salad, greenhouse
onion, onions | sting the eyes, fry | layers, frying pan, garlic
book, books | gather dust, tell a tale | pages, bookshelf, author
letter, letters | arrive by post, bring news | envelope, stamp, postbox
newspaper, newspapers | print gossip, report the news | headline, editor, printing press
pencil, pencils | break, draw lines | eraser, sketch, sharpener
clock, clocks | tick, strike noon | pendulum, hour hand, clockmaker
lamp, lamps | flicker, shine | lampshade, oil wick, bedside
chair, chairs | creak, stand around the table | armrest, cushion, carpenter
table, tables | wobble, hold the plates | tablecloth, polished wood, dinner plates
window, windows | rattle, let in light | curtains, pane, sill
door, doors | slam, swing open | doorknob, key, hinges
knife, knives | cut, rust | blade, butcher, whetstone
cup, cups | chip, hold tea | saucer, teaspoon, handle
bottle, bottles | shatter, float on the waves | glass stopper, green label, corkscrew
box, boxes | hold treasure, lie in the cellar | lid, cardboard, ribbon
car, cars | speed, honk | driver, garage, petrol
train, trains | whistle, leave the platform | railway, locomotive, ticket
ship, ships | sail, sink in storms | captain, anchor, harbour
wagon, wagons | roll, carry hay | wheel, axle, oxen
bicycle, bicycles | skid, lean on the fence | pedals, spokes, bell
plane, planes | take off, land on the runway | pilot, airport, propeller
violin, violins | weep, play a waltz | bow, strings, concert
drum, drums | beat, thunder | drumsticks, marching band, parade
piano, pianos | tinkle, need tuning | keys of ivory, sheet music, pianist
flower, flowers | bloom, wilt | petals, vase, fragrance
tree, trees | sway, drop leaves | bark and roots, forest, shade
river, rivers | flood, wind through the plain | banks, bridge, trout
mountain, mountains | tower above the clouds, hide the sun | peak, climber, glacier
star, stars | twinkle, guide sailors | telescope, night sky, astronomer
church, churches | ring bells, fill on sundays | steeple, priest, hymn
bridge, bridges | span the gorge, shake | arches, toll, engineer
house, houses | burn, stand in a row | roof, chimney, bricks
city, cities | grow, never sleep | mayor, crowds, traffic
island, islands | rise from the sea, tempt sailors | palm trees, lagoon, shipwreck
leaf, leaves | rustle, turn brown | autumn, twig, rake
wolf, wolves | howl, follow the sledge | pack, moonlight, winter woods
mouse, mice | squeak, steal cheese | mousetrap, hole, crumbs
goose, geese | honk at strangers, migrate south | gander, pond, down pillow
child, children | laugh, grow up | cradle, nursery rhyme, nurse
"""

# positive, comparative, superlative | nouns it describes
QUALITIES = """
tall, taller, tallest | tower, giraffe, oak, mast, lighthouse
short, shorter, shortest | speech, haircut, nap, sleeve, poem
old, older, oldest | ruin, manuscript, tradition, coin, tombstone
young, younger, youngest | recruit, sapling, apprentice, puppy, colt
big, bigger, biggest | whale, appetite, crowd, hole, pumpkin
small, smaller, smallest | pebble, flat, ant, portion, insect
large, larger, largest | estate, army, audience, sum, hall
fast, faster, fastest | runner, falcon, cheetah, racehorse, sled
slow, slower, slowest | tortoise, snail, waltz, clerk, barge
hot, hotter, hottest | oven, desert, furnace, summer, chilli
cold, colder, coldest | winter, ice, wind, blizzard, cellar
strong, stronger, strongest | rope, wrestler, ox, swimmer, blacksmith
weak, weaker, weakest | signal, excuse, pulse, brew, ankle
rich, richer, richest | banker, merchant, heiress, gravy, widow
poor, poorer, poorest | beggar, orphan, harvest, miner, parish
bright, brighter, brightest | lantern, comet, sunrise, lightning, smile
dark, darker, darkest | tunnel, dungeon, alley, midnight, cloud
deep, deeper, deepest | well, ocean, wound, ravine, snowdrift
high, higher, highest | wall, cliff, fence, tide, shelf
low, lower, lowest | ceiling, wage, stool, note, hedge
long, longer, longest | queue, journey, ladder, sermon, scarf
wide, wider, widest | avenue, plain, hat brim, delta, grin
narrow, narrower, narrowest | staircase, lane, escape, footbridge, corridor
heavy, heavier, heaviest | anvil, suitcase, boulder, trunk lid, armour
light, lighter, lightest | feather, breeze, canoe, silk scarf, kite tail
sweet, sweeter, sweetest | honey, melon, candy, lemonade, dessert
loud, louder, loudest | trumpet, thunderclap, cannon, rooster, siren
quiet, quieter, quietest | chapel, whisper, reading room, backwater, librarian
soft, softer, softest | pillow, blanket, velvet, fleece, slipper
hard, harder, hardest | granite, exam, biscuit, bargain, diamond
clean, cleaner, cleanest | towel, hospital ward, shirt, kitchen floor, spring water
dirty, dirtier, dirtiest | puddle, boot, chimney sweep, rag, stable
thick, thicker, thickest | fog, porridge, jungle, plank, dictionary
thin, thinner, thinnest | thread, scarecrow, wafer, broth, wire
happy, happier, happiest | reunion, clown, picnic, honeymooner, ending
sad, sadder, saddest | funeral, ballad, farewell, orphanage, refugee
wise, wiser, wisest | judge, philosopher, owl, counsel, elder
brave, braver, bravest | knight, fireman, explorer, rescue, soldier
cheap, cheaper, cheapest | trinket, lodging, ticket stub, soap, bargain bin
clever, cleverer, cleverest | fox, riddle, thief, detective, trick
"""

# base form, third person, past, -ing | complements
DEEDS = """
walk, walks, walked, walking | along the footpath, through the park, three miles on foot, with a stick
run, runs, ran, running | a marathon, out of breath, from the bull, around the track
swim, swims, swam, swimming | across the pool, under water, two lengths, out to the buoy
dance, dances, danced, dancing | the tango, on tiptoe, at the ballroom, to a fiddle tune
sing, sings, sang, singing | a carol, in the choir, off key, an aria in the bath
play, plays, played, playing | football on the green, cards for pennies, chess with a rival, hide and seek
write, writes, wrote, writing | a novel, in a diary, with a fountain pen, verses in ink
study, studies, studied, studying | for the exam, by lamplight, anatomy, the map of the coast
eat, eats, ate, eating | a sandwich, soup with a spoon, breakfast, roast chicken
drink, drinks, drank, drinking | a glass of cider, hot cocoa, from the fountain, too much wine
cook, cooks, cooked, cooking | a stew, over a low flame, with butter and thyme, pancakes on the stove
bake, bakes, baked, baking | a loaf, gingerbread, with flour and yeast, tarts in the oven
sleep, sleeps, slept, sleeping | on a mattress, until noon, under a quilt, like a log
drive, drives, drove, driving | a lorry, down the highway, with both hands on the wheel, a taxi by night
ride, rides, rode, riding | a donkey, bareback, a camel over the sand, in the saddle
fly, flies, flew, flying | a glider, above the clouds, a balloon over the alps, by night mail
paint, paints, painted, painting | a landscape, the ceiling blue, in watercolours, with a fine brush
build, builds, built, building | a shed, a stone wall, with hammer and nails, a raft of logs
dig, digs, dug, digging | a ditch, with a spade, for worms, trenches in clay
plant, plants, planted, planting | tulip bulbs, a hedge of roses, beans in rows, acorns
wash, washes, washed, washing | the linen, with soap and hot water, dishes in the sink, muddy socks
sew, sews, sewed, sewing | a button on, with needle and thread, a patchwork quilt, the torn hem
buy, buys, bought, buying | stamps and string, at the grocer, a pound of sugar, on credit
sell, sells, sold, selling | fish from a barrow, antiques, at a profit, lottery slips
teach, teaches, taught, teaching | algebra, a class of thirty, with chalk and patience, grammar
learn, learns, learned, learning | the alphabet, by heart, a foreign tongue, to juggle
speak, speaks, spoke, speaking | in riddles, five languages, with a lisp, into the microphone
throw, throws, threw, throwing | a javelin, snowballs, stones at a can, the dice
catch, catches, caught, catching | a cold, fireflies in a jar, the early bus, trout by hand
break, breaks, broke, breaking | an egg, a promise, the seal, a wrist on the rink
climb, climbs, climbed, climbing | a rope, to the summit, over the garden gate, the north face
fight, fights, fought, fighting | a duel, with bare fists, against the odds, a forest fire
dream, dreams, dreamed, dreaming | of far islands, in colour, about fame, of a quiet life
wait, waits, waited, waiting | for the postman, in the lobby, at the kerb, an hour in line
laugh, laughs, laughed, laughing | at a joke, until it hurt, behind a fan, out loud
weep, weeps, wept, weeping | over an onion, at the graveside, into a handkerchief, for joy
steal, steals, stole, stealing | a purse, hens by night, from the till, silverware
hide, hides, hid, hiding | behind the curtain, the evidence, in a haystack, under the stairs
count, counts, counted, counting | sheep, on ten fingers, the takings, backwards from a hundred
carry, carries, carried, carrying | a basket, the luggage upstairs, sacks on one shoulder, a torch
"""

# General word lists, the long tail; draws favor the front of a list.
LISTS = """
trait: good kind gentle proud stern patient generous cheerful lonely curious careful honest stubborn noble humble
    restless merry solemn thoughtful loyal jealous timid fierce gracious modest greedy witty grumpy tender earnest
    anxious absent-minded sensible charming bold
mood: glad content afraid silent hopeful weary uneasy delighted grateful puzzled ashamed excited calm bored furious
    homesick relieved amazed
item: gloves pocket-watch walking-stick hat keys purse ring boots notebook lantern spoon locket comb satchel flute
    mirror compass handkerchief basket candle scarf belt
manner: slowly quickly softly suddenly often rarely gladly carefully proudly secretly calmly eagerly politely boldly
    gracefully sadly clumsily patiently
spot: garden hall courtyard square terrace inn mill well crossroads harbour stable cellar chapel fair orchard
    library bakery lane gatehouse pier graveyard meadow
weather: rain sun snow mist storm frost thunder drizzle hail heat
season: spring summer autumn winter
month: january february march april may june july august september october november december
day: monday tuesday wednesday thursday friday saturday sunday
colour: red blue green white black yellow grey brown golden silver crimson violet orange scarlet pale
number: two three four five six seven eight nine ten twelve twenty fifty
many: two three many several four some few five six countless
trade: farmer baker doctor teacher tailor miller soldier sailor painter carpenter lawyer weaver fisherman smith
    musician poet merchant gardener hunter potter mason cobbler barber clerk nurse scholar printer surgeon librarian
    engineer reporter porter coachman beekeeper glassblower locksmith
talk: news taxes harvest trade peace war schools roads railways fishing elections treaty budget strike flood tariffs
    museums energy
much: much far even slightly somewhat
past: yesterday, long ago, last week, last night, last summer, in those days, a year ago, the other day
habit: every morning, every day, on most evenings, once a week, as a rule, nowadays, each spring
now: right now, at the moment, at this very minute, just now
coming: tomorrow, next week, next spring, soon, before long, one day
opinion: i think, we know, they say, people believe, it is said, everyone agrees, some claim
"""
