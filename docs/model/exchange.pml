/* Exchange and cession, for Spin: two nodes and a hub, crash of each at each step, a network that does what it likes.
 *
 * What is committed is global; what a crash loses is local to a process. A `d_step` is one page of a Book: whole or not
 * at all. README.md beside this file says which label stands for which function, what is assumed and what is left out.
 * What stands under `#ifdef` with a name in BUG is planted by tests/model, from the command line of the preprocessor.
 */

#define A 0
#define B 1
#define LOG 8

/* One cession from A to B; -DGIVE_BACK: B may give the same lot back; -DPAIR: A cedes twice. -DNO_LATE: what is not the
 * newest envelope is lost, which makes GIVE_BACK small enough to visit every state. */
#ifdef PAIR
#define CESSIONS 2
#define GIVER(k) A
#define ISSUED 2
#else
#define GIVER(k) (k)
#define ISSUED 1
#ifdef GIVE_BACK
#define CESSIONS 2
#else
#define CESSIONS 1
#endif
#endif
#define TAKER(k) (1 - GIVER(k))

/* One slip is a kind and a cession: kind * CESSIONS + cession. */
#define SLIP(kind, k) ((kind) * CESSIONS + (k))
#define CEDE 1
#define RECALL 2
#define ANSWER 3
#define ANSWER_BACK 4
#define VERDICT 5
#define VERDICT_REFUSED 6
#define TOLD_HANDED_OVER 7
#define STOPPED_RECALLED 8
#define STOPPED_EXPIRED 9
#define STOPPED_TOO_LATE 10
#define FORWARD 11
#define FORWARD_ANSWER 12
#define FORWARD_ANSWER_BACK 13

/* States of protocol/cession.py; NONE: this book never heard of it. */
#define NONE 0
#define QUEUED 1
#define CLEARED 2
#define HANDED_OVER 3
#define DELIVERED 4
#define RETURNED 5
#define RECALLED 6
#define EXPIRED 7
#define REFUSED 8
#define ENDED(state) ((state) >= DELIVERED)
#define CAME_BACK(state) ((state) >= RETURNED)

/* Decided once in the life of a cession, so that chance may decide it beforehand. */
#define FINE 0
#define OVER_LIMIT 1
#define CLOSED 2
byte fate[CESSIONS];

typedef Log { byte slip[LOG]; byte size };
typedef Envelope { bool is_there; byte start; byte end; byte ack };

/* Durable: a node's book. `lot` in transit counts what left and has not ended. */
Log up[2];              /* node -> hub, as the node wrote it */
byte acked[2];          /* how much of it the hub acknowledged */
byte node_held[2];      /* how much of the hub's log this node took */
byte home[CESSIONS];    /* the state at the giver */
bool recall_asked[CESSIONS];
bool received[CESSIONS];
byte holding[2];
byte transit[2];
byte abroad;            /* A's account of its rights in B */

/* Durable: the hub's book. */
Log down[2];            /* hub -> node */
byte hub_held[2];
byte cleared[CESSIONS]; /* the state at the hub */
byte position[2];
byte hub_transit;

/* Ghosts: what the properties speak of, and nobody reads. */
byte debits[CESSIONS];
byte credits[CESSIONS];

/* The network: per direction the newest envelope, which may come twice or never; and, in the whole network, one older
 * envelope at a time that may come late, twice, after newer ones. */
Envelope to_hub[2];
Envelope to_node[2];
Envelope late;
byte late_way;          /* 1, 2: from node A, B to the hub; 3, 4: from the hub to node A, B; 0: there is none */

bool calm;              /* from here on: no crash, no loss, no sleep, no new traffic */
byte hub_serves = 2;    /* whose call the hub is answering; 2: nobody's */
byte served;            /* in calm the hub serves in turn, as its writer does: who was served last */
bool is_quiet;          /* every slip is held by its reader, and every process stopped */

#define QUIET (hub_held[A] == up[A].size && hub_held[B] == up[B].size \
    && node_held[A] == down[A].size && node_held[B] == down[B].size \
    && cleared[0] != CLEARED && cleared[CESSIONS - 1] != CLEARED)

/* [append_leaves] */
inline append(log, what) {
    assert(log.size < LOG);
    log.slip[log.size] = what;
    log.size++
}

/* The newest takes the place of the one before, which is lost or becomes the late one. */
inline post(newest, way, from, until, held) {
    if
#ifndef NO_LATE
    :: newest.is_there && !calm ->
        late_way = way; late.start = newest.start; late.end = newest.end; late.ack = newest.ack
#endif
    :: skip
    fi;
    newest.is_there = true; newest.start = from; newest.end = until; newest.ack = held
}

inline fetch(newest) {
    start = newest.start; end = newest.end; ack = newest.ack;
    if
    :: calm -> newest.is_there = false; newest.start = 0; newest.end = 0; newest.ack = 0
    :: else -> skip
    fi
}

/* Single outcome, exactly once, conservation: after every page, whoever wrote it. */
inline check() {
    assert(holding[A] + transit[A] + abroad == ISSUED);
    assert(position[A] + position[B] + hub_transit == ISSUED);
    j = 0;
    do
    :: j < CESSIONS ->
        assert(debits[j] <= 1);
        assert(credits[j] <= 1);
        assert(credits[j] == 0 || (cleared[j] != NONE && cleared[j] != CLEARED && !CAME_BACK(cleared[j]))
            || fate[j] == CLOSED);
        assert(home[j] != DELIVERED || (credits[j] == 1 && cleared[j] == DELIVERED));
        assert(!CAME_BACK(home[j]) || (credits[j] == 0 && cleared[j] == home[j]));
        assert(!ENDED(cleared[j]) || home[j] != NONE);
        j++
    :: else -> break
    od;
    j = 0
}

inline tell_hub_side(to, what) { append(down[to], what) }

inline hub_apply(what) {
    kind = what / CESSIONS; k = what % CESSIONS;
    if
    :: kind == CEDE ->
        /* [keep_cede] */
        assert(cleared[k] == NONE);
        if
        :: fate[k] == OVER_LIMIT -> cleared[k] = REFUSED; tell_hub_side(GIVER(k), SLIP(VERDICT_REFUSED, k))
        :: else ->
            cleared[k] = CLEARED;
            assert(position[GIVER(k)] > 0);
            position[GIVER(k)]--; hub_transit++;
            tell_hub_side(GIVER(k), SLIP(VERDICT, k))
        fi
    :: kind == RECALL ->
        /* [take_recall] */
        if
#ifdef BUG_RECALL_AFTER_HAND_OVER
        :: cleared[k] == CLEARED || cleared[k] == HANDED_OVER ->
#else
        :: cleared[k] == CLEARED ->
#endif
            cleared[k] = RECALLED; hub_transit--; position[GIVER(k)]++;
            tell_hub_side(GIVER(k), SLIP(STOPPED_RECALLED, k))
        :: else -> tell_hub_side(GIVER(k), SLIP(STOPPED_TOO_LATE, k))
        fi
    :: kind == ANSWER || kind == ANSWER_BACK ->
        /* [take_answer] */
        if
        :: cleared[k] == HANDED_OVER && kind == ANSWER ->
            cleared[k] = DELIVERED; hub_transit--; position[TAKER(k)]++;
#ifndef BUG_ANSWER_NOT_FORWARDED
            tell_hub_side(GIVER(k), SLIP(FORWARD_ANSWER, k))
#endif
        :: cleared[k] == HANDED_OVER && kind == ANSWER_BACK ->
            cleared[k] = RETURNED; hub_transit--; position[GIVER(k)]++;
            tell_hub_side(GIVER(k), SLIP(FORWARD_ANSWER_BACK, k))
        :: else -> skip
        fi
    fi
}

/* [give_back] */
inline give_back_lots() {
    assert(transit[n] > 0);
    transit[n]--; holding[n]++
}

inline node_apply(what) {
    kind = what / CESSIONS; k = what % CESSIONS;
    if
    :: kind == VERDICT ->
        /* [apply_verdict] */
        assert(home[k] == QUEUED); home[k] = CLEARED
    :: kind == VERDICT_REFUSED -> assert(home[k] == QUEUED); home[k] = REFUSED; give_back_lots()
    :: kind == TOLD_HANDED_OVER ->
        /* [apply_handed_over] */
        assert(home[k] == CLEARED); home[k] = HANDED_OVER
    :: kind == STOPPED_RECALLED ->
        /* [apply_stopped] */
        assert(home[k] == CLEARED); home[k] = RECALLED; give_back_lots()
    :: kind == STOPPED_EXPIRED -> assert(home[k] == CLEARED); home[k] = EXPIRED; give_back_lots()
    :: kind == STOPPED_TOO_LATE -> skip
    :: kind == FORWARD ->
        /* [apply_forward] */
#ifndef BUG_NO_DEDUP
        assert(!received[k]);
#endif
        received[k] = true;
        if
        :: fate[k] == CLOSED -> append(up[n], SLIP(ANSWER_BACK, k))
        :: else ->
        /* [credit] */
            holding[n]++; credits[k]++;
            if
            :: n == A -> assert(abroad > 0); abroad--
            :: else -> skip
            fi;
            append(up[n], SLIP(ANSWER, k))
        fi
    :: kind == FORWARD_ANSWER ->
        /* [apply_answer] */
        assert(home[k] == HANDED_OVER); home[k] = DELIVERED;
        assert(transit[n] > 0); transit[n]--;
        if
        :: n == A -> abroad++
        :: else -> skip
        fi
    :: kind == FORWARD_ANSWER_BACK -> assert(home[k] == HANDED_OVER); home[k] = RETURNED; give_back_lots()
    fi
}

/* What follows what is held; nothing on a resend or a gap. */
/* [find_new_slips] */
inline find_new_slips(held) {
    from = held;
#ifdef BUG_NO_DEDUP
    from = start;
#endif
    until = end;
    if
    :: start > held -> until = from
    :: else -> skip
    fi
}

/* Killed before its page is committed, a party has done nothing: that is an envelope that was not received. */
inline node_takes(newest) {
    fetch(newest);
    assert(ack <= up[n].size);
    /* [take_ack] */
    if :: ack > acked[n] -> acked[n] = ack :: else -> skip fi;
    ack = 0;
    find_new_slips(node_held[n]);
    do
    :: from < until -> node_apply(down[n].slip[from]); from++;
        if :: from > node_held[n] -> node_held[n] = from :: else -> skip fi
    :: else -> break
    od;
    check();
    start = 0; end = 0; from = 0; until = 0; kind = 0; k = 0
}

inline asks(c) {
    home[c] = QUEUED; holding[n]--; transit[n]++; debits[c]++;
    append(up[n], SLIP(CEDE, c));
    check()
}

proctype Node(byte n) {
    byte start, end, ack, from, until, kind, k, j;
    do
    :: atomic { is_quiet -> break }
    /* An account asks: debited, and the slip appended, in one page. */
    :: d_step { !calm && GIVER(0) == n && home[0] == NONE && holding[n] > 0 ->
        /* [ask] */ asks(0) }
#if CESSIONS > 1
    :: d_step { !calm && GIVER(1) == n && home[1] == NONE && holding[n] > 0 && home[0] != NONE -> asks(1) }
#endif
    :: d_step { !calm && GIVER(0) == n && (home[0] == QUEUED || home[0] == CLEARED) && !recall_asked[0] ->
        /* [recall] */ recall_asked[0] = true; append(up[n], SLIP(RECALL, 0)) }
#if CESSIONS > 1
    :: d_step { !calm && GIVER(1) == n && (home[1] == QUEUED || home[1] == CLEARED) && !recall_asked[1] ->
        recall_asked[1] = true; append(up[n], SLIP(RECALL, 1)) }
#endif
#ifdef BUG_OWN_TIMER
    :: d_step { !calm && GIVER(0) == n && home[0] == CLEARED -> home[0] = EXPIRED; give_back_lots(); check() }
#endif
    /* In a storm it calls when it likes, or sleeps; in calm it calls when its last call was answered. */
    :: atomic { !is_quiet && (!calm || (!to_hub[n].is_there && !to_node[n].is_there && hub_serves != n)) ->
        /* [send] */ from = acked[n];
#ifdef BUG_START_OFF_BY_ONE
        if :: from < up[n].size -> from++ :: else -> skip fi;
#endif
        post(to_hub[n], 1 + n, from, up[n].size, node_held[n]); from = 0 }
    :: d_step { to_node[n].is_there ->
        /* [receive] */ node_takes(to_node[n]) }
    :: d_step { !calm && late_way == 3 + n -> node_takes(late) }
    od
}

inline hub_takes(who, newest) {
    n = who; hub_serves = who;
    if :: calm -> served = who :: else -> skip fi;
    fetch(newest);
    assert(ack <= down[n].size);
    find_new_slips(hub_held[n]);
    do
    :: from < until -> hub_apply(up[n].slip[from]); from++;
        if :: from > hub_held[n] -> hub_held[n] = from :: else -> skip fi
    :: else -> break
    od;
    check();
    start = 0; end = 0; from = 0; until = 0; kind = 0; k = 0
}

inline expires(c) {
    cleared[c] = EXPIRED; hub_transit--; position[GIVER(c)]++;
    append(down[GIVER(c)], SLIP(STOPPED_EXPIRED, c));
    check()
}

inline hands_over() {
    k = 0;
    do
    :: k < CESSIONS ->
        if
        :: TAKER(k) == n && cleared[k] == CLEARED ->
            cleared[k] = HANDED_OVER;
            append(down[n], SLIP(FORWARD, k));
            append(down[GIVER(k)], SLIP(TOLD_HANDED_OVER, k))
        :: else -> skip
        fi;
        k++
    :: else -> break
    od;
    k = 0;
    check()
}

proctype Hub() {
    byte n, start, end, ack, from, until, kind, k, j;
idle:
    do
    :: atomic { calm && QUIET && !is_quiet -> is_quiet = true; break }
    :: d_step { !calm && cleared[0] == CLEARED ->
        /* [expire] */ expires(0) }
#if CESSIONS > 1
    :: d_step { !calm && cleared[1] == CLEARED -> expires(1) }
#endif
    :: d_step { to_hub[A].is_there && (!calm || (!QUIET && (served != A || !to_hub[B].is_there))) ->
        /* [answer] */ hub_takes(A, to_hub[A]) } goto taken
    :: d_step { to_hub[B].is_there && (!calm || (!QUIET && (served != B || !to_hub[A].is_there))) -> hub_takes(B, to_hub[B]) } goto taken
    :: d_step { !calm && late_way == 1 -> hub_takes(A, late) } goto taken
    :: d_step { !calm && late_way == 2 -> hub_takes(B, late) } goto taken
#ifdef BUG_ACK_BEFORE_COMMIT
    /* The answer left, and the kill came before the page. */
    :: atomic { !calm && to_hub[A].is_there && to_hub[A].start <= hub_held[A] && to_hub[A].end > hub_held[A] ->
        post(to_node[A], 3 + A, to_hub[A].ack, down[A].size, to_hub[A].end) }
#endif
#ifdef BUG_TWO_COMMITS
    /* The leaf was stored, and the kill came before its effect. */
    :: d_step { !calm && to_hub[A].is_there && to_hub[A].start <= hub_held[A] && to_hub[A].end > hub_held[A] ->
        hub_held[A] = to_hub[A].end }
#endif
    od;
    goto stopped;
taken:
    /* Hand-over is a page of its own: a kill may come between. */
    if
    :: atomic { !calm -> n = 0; ack = 0; hub_serves = 2; goto idle }
    :: d_step { true ->
        /* [hand_over] */ hands_over() }
    fi;
    if
    :: atomic { !calm -> n = 0; ack = 0; hub_serves = 2; goto idle }
    :: atomic { true ->
        /* [compose] */ post(to_node[n], 3 + n, ack, down[n].size, hub_held[n]); n = 0; ack = 0; hub_serves = 2; goto idle }
    fi;
stopped:
    skip
}

init {
    byte k;
    atomic {
        do
        :: k < CESSIONS ->
            if
            :: fate[k] = FINE
            /* One odd fate a run: cession 1 is told apart only where cession 0 went well. */
            :: k == 0 || fate[0] == FINE -> fate[k] = OVER_LIMIT
            :: k == 0 || fate[0] == FINE -> fate[k] = CLOSED
            fi;
            k++
        :: else -> break
        od;
        k = 0;
        holding[A] = ISSUED;
        position[A] = ISSUED;
        run Node(A);
        run Node(B);
        run Hub()
    }
    /* The storm ends when it likes, and what was under way is lost or arrives. */
    atomic { calm = true; late_way = 0; late.start = 0; late.end = 0; late.ack = 0 }
    /* Everything came to rest: the books agree. */
    atomic { is_quiet ->
        do
        :: k < CESSIONS ->
            assert(home[k] == NONE || ENDED(home[k]));
            assert(home[k] == cleared[k]);
            assert(debits[k] == (home[k] != NONE));
            assert(credits[k] == (home[k] == DELIVERED));
            k++
        :: else -> break
        od;
        assert(transit[A] == 0 && transit[B] == 0 && hub_transit == 0);
        assert(holding[A] + holding[B] == ISSUED);
        assert(position[A] == holding[A] && position[B] == holding[B] && abroad == holding[B])
    }
}

/* Under weak fairness, and once the storm is over: whatever was asked ends. */
ltl ends { [] (calm -> <> is_quiet) }
