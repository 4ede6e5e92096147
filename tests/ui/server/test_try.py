from tests.ui.server.conftest import *


def test_try(enter, qtbot, office):
    w = enter("mia")
    print(w.saved.text(), w.session.seat.person, w.windowTitle())
    w.grab().save("/tmp/w/i6g_mia.png")
    v = enter("vic")
    print(v.saved.text(), v.run_pane.state.text())
    v.grab().save("/tmp/w/i6g_vic.png")
