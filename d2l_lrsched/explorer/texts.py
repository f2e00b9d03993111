"""What the explorer says, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Mapping

from d2l_lrsched.data import BATCH_SIZE, TRAIN_EXAMPLES, UPDATES_PER_EPOCH
from d2l_lrsched.words import ALONE, PHRASES

LANGUAGES: Mapping[str, str] = {"vi": "Tiếng Việt", "en": "English"}

_VI = {
    # What figures and tables say as well, in their words.
    "reading.update": ALONE["update"],
    "unit.update": ALONE["update"],
    "update": ALONE["update"],
    "constant": PHRASES["Constant"].lower(),
    "square-root": PHRASES["Square root"].lower(),
    "multi-factor": PHRASES["Multi-factor"].lower(),
    "cosine": PHRASES["Cosine"].lower(),
    "cosine-warmup": PHRASES["Cosine with warmup"].lower(),
    "factor": f"{PHRASES['Factor'].lower()} (trong sách)",
    "rate": PHRASES["learning rate"],
    "train_loss": PHRASES["training loss"],
    "test_acc": PHRASES["test accuracy"],
    "trained": PHRASES["trained"],
    "collapsed": PHRASES["collapsed"],
    # Its own.
    "title": "Tốc độ học theo các bộ định thời",
    "intro": f"Một <b>bước cập nhật</b> là một lần thay đổi tham số sau một minibatch gồm "
    f"{BATCH_SIZE} ảnh; một <b>epoch</b> là một lượt qua toàn bộ {TRAIN_EXAMPLES} ảnh huấn luyện, "
    f"ở đây là {UPDATES_PER_EPOCH} bước cập nhật. Sách vẽ bộ định thời theo epoch, còn MXNet đếm "
    "từng bước cập nhật: cùng một thiết lập nhưng đọc theo hai cách là hai quá trình huấn luyện "
    "khác hẳn nhau.",
    "preset": "Thiết lập",
    "own": "tự chọn",
    "book": "theo sách: {}",
    "schedule": "Bộ định thời",
    "reading": "Đếm theo",
    "reading.epoch": "epoch",
    "unit.epoch": "epoch",
    "linear": "tuyến tính",
    "poly": "đa thức",
    "base_lr": "Tốc độ học gốc",
    "final_lr": "Tốc độ học cuối",
    "stop_factor_lr": "Tốc độ học thấp nhất",
    "factor.slider": "Thừa số suy giảm",
    "pwr": "Số mũ",
    "max_update": "Độ dài suy giảm",
    "first_step": "Mốc giảm thứ nhất",
    "second_step": "Mốc giảm thứ hai",
    "warmup_steps": "Độ dài khởi động",
    "num_epochs": "Số epoch được vẽ",
    "epoch": "epoch",
    "whole": "Toàn bộ quá trình huấn luyện",
    "first": "Epoch đầu tiên",
    "line.update": "đếm theo bước cập nhật",
    "line.epoch": "đếm theo epoch",
    "chosen": "{} (đang chọn)",
    "code": "Dòng lệnh tạo bộ định thời đang hiển thị",
    "code.hint": "Sau <code>import d2l_lrsched as lrs</code>, truyền nó vào <code>gluon.Trainer(…, "
    '"sgd", {"lr_scheduler": …})</code>.',
    "code.constant": "Tốc độ học cố định thì không cần bộ định thời: truyền thẳng dòng này vào "
    '<code>gluon.Trainer(…, "sgd", …)</code>.',
    "copy": "Sao chép",
    "runs": "Các lần huấn luyện đã lưu có tốc độ học trùng khớp ở mọi bước cập nhật",
    "runs.count": "<b>{name}</b>: {runs} lần, mỗi lần {epochs} epoch, {collapsed} lần sụp đổ",
    "runs.collapsed": "Sụp đổ: mạng cho cùng một đầu ra với mọi ảnh, mất mát là ln 10 = 2.303 "
    "(nét chấm). Không tính các lần có gọt gradient.",
    "runs.none": "Chưa có lần huấn luyện nào được lưu mà dùng đúng các tốc độ học này.",
    "runs.no_records": "Chưa có lần huấn luyện nào được lưu trong thư mục {folder}; "
    "hãy tạo bằng lệnh <code>d2l-lrsched reproduce --net fast --seeds 10</code>, hoặc dùng "
    "<code>--records</code> để chỉ ra thư mục chứa chúng.",
    "runs.unknown": "Không tính {count} lần huấn luyện đã lưu, vì phiên bản này không biết thí "
    "nghiệm hoặc thiết lập của chúng: {names}.",
    "ended": "Lệnh <code>d2l-lrsched explore</code> đã dừng: hãy chạy lại rồi tải lại trang.",
    "multi-factor.note": "Lần huấn luyện trong sách không khớp với đường này: sách vẽ bộ định thời "
    "của MXNet rồi huấn luyện bằng chính đối tượng ấy, mà nó lại nhớ các lần được gọi lúc vẽ. Vì "
    "thế khi huấn luyện, tốc độ học là 0.25 cho đến hết bước cập nhật 30, sau đó là 0.125, không "
    "bao giờ là 0.5.",
    "cosine-warmup.note": "Sách viết <code>CosineScheduler(20, …, warmup_steps=5)</code>, tính "
    "cả khởi động vào <code>max_update</code>; ở đây khởi động dài 5, rồi cô-sin dài 15: "
    "tốc độ học vẫn y hệt.",
}

_EN = {
    "title": "Learning rates under schedules",
    "intro": f"An <b>update</b> is one change of the parameters, after one minibatch of "
    f"{BATCH_SIZE} images; an <b>epoch</b> is one pass over all {TRAIN_EXAMPLES} training images, "
    f"here {UPDATES_PER_EPOCH} updates. The book draws its schedulers over epochs, while MXNet "
    "counts updates: the same settings, read in the two ways, are two quite different trainings.",
    "preset": "Settings",
    "own": "your own",
    "book": "the book's: {}",
    "schedule": "Scheduler",
    "reading": "Read per",
    "reading.update": "update",
    "reading.epoch": "epoch",
    "unit.update": "updates",
    "unit.epoch": "epochs",
    "constant": "constant",
    "square-root": "square root",
    "factor": "factor (the chapter's)",
    "linear": "linear",
    "multi-factor": "multi-factor",
    "poly": "polynomial",
    "cosine": "cosine",
    "cosine-warmup": "cosine with warmup",
    "base_lr": "Base learning rate",
    "final_lr": "Final learning rate",
    "stop_factor_lr": "Lowest learning rate",
    "factor.slider": "Factor of decay",
    "pwr": "Power",
    "max_update": "Length of decay",
    "first_step": "First drop after",
    "second_step": "Second drop after",
    "warmup_steps": "Length of warmup",
    "num_epochs": "Epochs drawn",
    "rate": "learning rate",
    "update": "update",
    "epoch": "epoch",
    "whole": "The whole training",
    "first": "The first epoch",
    "line.update": "read per update",
    "line.epoch": "read per epoch",
    "chosen": "{} (chosen)",
    "code": "The line that makes the scheduler shown",
    "code.hint": "After <code>import d2l_lrsched as lrs</code>, hand it to <code>gluon.Trainer(…, "
    '"sgd", {"lr_scheduler": …})</code>.',
    "code.constant": "A constant rate needs no scheduler: hand this to "
    '<code>gluon.Trainer(…, "sgd", …)</code>.',
    "copy": "Copy",
    "runs": "Stored runs with the same learning rate at every update",
    "runs.count": "<b>{name}</b>: {runs} runs of {epochs} epochs, {collapsed} collapsed",
    "runs.collapsed": "Collapsed: the network gives every image the same output, its loss is "
    "ln 10 = 2.303 (dotted). Runs with clipped gradients are left out.",
    "runs.none": "No stored run had just these learning rates.",
    "runs.no_records": "There are no stored runs in the folder {folder}; "
    "<code>d2l-lrsched reproduce --net fast --seeds 10</code> makes some, and "
    "<code>--records</code> names the folder that holds them.",
    "runs.unknown": "{count} stored runs are left out, for this version does not know their "
    "experiments or settings: {names}.",
    "ended": "<code>d2l-lrsched explore</code> has ended: start it again and reload the page.",
    "train_loss": "training loss",
    "test_acc": "test accuracy",
    "trained": "trained",
    "collapsed": "collapsed",
    "multi-factor.note": "The book's own run does not match this curve: the book plots MXNet's "
    "scheduler and then trains with the same object, which remembers the plot's calls. So it "
    "trained at 0.25 up to update 30 and at 0.125 ever after, never at 0.5.",
    "cosine-warmup.note": "The book writes <code>CosineScheduler(20, …, warmup_steps=5)</code>, "
    "which counts the warmup within <code>max_update</code>; here it is 5 of warmup, then a cosine "
    "over 15: the rates are the same.",
}

#: Language -> key -> text.
TEXTS: Mapping[str, Mapping[str, str]] = {"vi": _VI, "en": _EN}
