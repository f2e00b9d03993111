"""What figures, tables and verdicts say in English, and how that is said in Vietnamese.

Here ``{}`` is any number. Names that a user types, such as an experiment's, are in no table: they
are the same in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Translated wherever it stands in a text, the longest first.
PHRASES: Mapping[str, str] = {
    # Numbers.
    "{} of {}": "{}/{}",
    "{} to {}": "{} đến {}",
    "seed {}": "hạt giống {}",
    "{} non-finite": "{} không hữu hạn",
    # What is measured of a run.
    "learning rate": "tốc độ học",
    "constant learning rate": "tốc độ học cố định",
    "constant rate": "tốc độ học cố định",
    "peak learning rate": "tốc độ học ở đỉnh",
    "rate {}": "tốc độ học {}",
    "loss": "mất mát",
    "final loss": "mất mát cuối cùng",
    "train loss": "mất mát huấn luyện",
    "training loss": "mất mát huấn luyện",
    "train acc": "độ chính xác huấn luyện",
    "train accuracy": "độ chính xác huấn luyện",
    "test acc": "độ chính xác kiểm tra",
    "test accuracy": "độ chính xác kiểm tra",
    "test accuracies": "độ chính xác kiểm tra",
    "test accuracy, last ten epochs": "độ chính xác kiểm tra, mười epoch cuối",
    "train loss, of {} batches": "mất mát huấn luyện ({} minibatch)",
    "late oscillation": "độ dao động lúc cuối",
    "trained": "học được",
    "collapsed": "sụp đổ",
    "after having learned": "sau khi đã học được",
    "after epoch 1": "sau epoch 1",
    "{} % interval": "khoảng tin cậy {} %",
    "{} % interval of the share": "khoảng tin cậy {} % của tỷ lệ",
    # Verdicts.
    "DIFFERENT": "KHÁC",
    "CONSISTENT": "PHÙ HỢP",
    "INCONCLUSIVE": "CHƯA ĐỦ ĐỂ KẾT LUẬN",
    "CONFIRMED": "ĐƯỢC XÁC NHẬN",
    "CONTRADICTED": "BỊ BÁC BỎ",
    "NOT DECIDED": "CHƯA NGÃ NGŨ",
    "not decided": "chưa ngã ngũ",
    "is higher": "cao hơn",
    "fewer under": "ít hơn ở",
    "seeds from {} on": "hạt giống từ {} trở đi",
    "all seeds": "mọi hạt giống",
    "unseen seeds": "hạt giống chưa xem",
    # Schedules, as titles.
    "Constant": "Cố định",
    "Square root": "Căn bậc hai",
    "Factor": "Thừa số",
    "Multi-factor": "Đa thừa số",
    "Cosine": "Cô-sin",
    "Cosine with warmup": "Cô-sin có khởi động",
    "per epoch": "theo epoch",
    "fed with updates": "đếm theo bước cập nhật",
    "read once an epoch": "mỗi epoch đọc một lần",
    # The chapter.
    "the book's": "số của sách",
    "the book's:": "của sách:",
    "the book's collapsed": "lần chạy của sách sụp đổ",
    "ours:": "của ta:",
    "collapsed, at {}:": "sụp đổ, ở mức {}:",
    "update ({} an epoch)": "bước cập nhật ({} bước một epoch)",
    "solid: per update, as published; dashed: per epoch, as intended": (
        "nét liền: từng bước, như sách in; nét đứt: từng epoch, theo ý định"
    ),
    "as the book draws it, over epochs": "như sách vẽ, theo epoch",
    "as the Trainer used it, {} updates an epoch": "như Trainer đã dùng, {} bước một epoch",
    "circles: the book's printed values": "vòng tròn: số in trong sách",
    "one of our runs": "một lần chạy của ta",
    "where one more would fall": "nơi thêm một lần chạy có thể rơi vào",
    "ours, seeds": "của ta, theo hạt giống",
    "ours, the book's weights": "của ta, trọng số của sách",
    "ours, with the book's weights": "của ta, trọng số của sách",
    "ours, with other weights": "của ta, trọng số khác",
    "ours, on another split": "của ta, phép chia khác",
    "builds of the book": "các bản dựng của sách",
    "printed in the chapter": "số in trong chương",
    "higher test accuracy in {}, wider gap in {} of {} seeds": (
        "độ chính xác kiểm tra cao hơn ở {}, khoảng cách rộng hơn ở {} trong {} hạt giống"
    ),
    "lower with warmup in {} of {} seeds": "có khởi động thì thấp hơn ở {} trong {} hạt giống",
    # Which schedule.
    "loss begins to fall at {} to {}, is lowest at {} to {}, turns up again at {} to {}, "
    "the net collapses at {} to {} ({} of {} seeds); suggested: {}": (
        "tốc độ học mà ở đó mất mát bắt đầu giảm: {} đến {}; mất mát thấp nhất: {} đến {}; "
        "mất mát tăng trở lại: {} đến {}; "
        "mạng sụp đổ: {} đến {} ({}/{} hạt giống); tốc độ học được gợi ý: {}"
    ),
    "{} to ≥ {}": "{} đến ≥ {}",
    # Clipping.
    "{} runs of": "{} lần chạy của",
    "{} runs that trained": "{} lần học được",
    "{} runs that collapsed": "{} lần sụp đổ",
    "largest gradient norm: {} to {}": "chuẩn gradient lớn nhất: {} đến {}",
    "in the first epoch {} to {} times the median norm": (
        "trong epoch đầu gấp {} đến {} lần chuẩn trung vị"
    ),
    "{} examples: norm {}, clipped mean gradient": (
        "{} mẫu: chuẩn {}, gradient trung bình sau khi gọt"
    ),
    "the gradient stays": "gradient vẫn là",
    "norm {}, the gradient becomes": "chuẩn {}, gradient thành",
    "gradient norm {}, applied {}": "chuẩn gradient {}, được áp dụng {}",
    "w1 at the last steps": "w1 ở những bước cuối",
    "largest distance to 0 among them {}, bound {}": (
        "ở đó khoảng cách lớn nhất tới 0 là {}, cận trên {}"
    ),
    "{} of the updates clipped, median norm {}, largest {}": (
        "{} số bước cập nhật bị gọt, chuẩn trung vị {}, lớn nhất {}"
    ),
    "clipped in epochs {} to {}": "tỷ lệ bị gọt từ epoch {} đến {}",
    "median norm": "chuẩn trung vị",
    "rate {}, fast": "tốc độ học {}: nhanh",
    "rate {}, oscillating": "tốc độ học {}: dao động",
    "rate {}, diverging": "tốc độ học {}: phân kỳ",
    "gradient norm before clipping": "chuẩn gradient trước khi gọt",
    "with clipping": "có gọt",
    "without clipping": "không gọt",
    "the norm is the threshold": "chuẩn bằng ngưỡng",
    "settled below this": "dưới mức này là đã lắng xuống",
    "warmup, then linear": "khởi động, rồi đường thẳng",
    "warmup, then cosine": "khởi động, rồi cô-sin",
    "collapsed, as on the left": "sụp đổ, như ở khung trái",
    "collapsed on the left, trained": "sụp đổ ở khung trái, ở đây học được",
    "trained on the left": "học được ở khung trái",
    # The exercises.
    "{} epochs: mean {}, best {}, gap {}": "{} epoch: trung bình {}, cao nhất {}, khoảng cách {}",
    "the early winner is ahead of the mean by {}, then {}": (
        "mạng dẫn đầu hơn mức trung bình {}, về sau {}"
    ),
    "share collapsed, with its {} % interval": "tỷ lệ sụp đổ, kèm khoảng tin cậy {} %",
    "none trained": "không mạng nào học được",
    "test accuracy of those that trained": "độ chính xác kiểm tra của mạng học được",
    "mean test accuracy of those that trained": (
        "độ chính xác kiểm tra trung bình của mạng học được"
    ),
    "collapsed runs": "số lần sụp đổ",
    "exponent {}": "số mũ {}",
    "lowered on a plateau": "giảm khi chững lại",
    "the same after a warmup to {}": "như vậy, sau khi khởi động lên {}",
    "warmup, share of the run": "khởi động, tỷ lệ trên cả lần chạy",
    "lost the seeds": "sụp đổ với các hạt giống",
    "the latter's rate at updates {} and {}": "tốc độ học của thí nghiệm sau ở bước {} và {}",
    "rate {}, loss {}: then {}": "tốc độ học {}, mất mát {}: sau đó {}",
    # Sampling.
    "posterior mean": "kỳ vọng của hậu nghiệm",
    "precisions": "các precision",
    "largest stable step: narrow axis {}, wide axis {}": (
        "bước lớn nhất còn ổn định: trục hẹp {}, trục rộng {}"
    ),
    "the paper's schedule": "bộ định thời của bài báo",
    "step {} leads to variances": "bước {} dẫn đến các phương sai",
    "fixed step {}": "bước cố định {}",
    "{}, no noise injected": "{}, không thêm nhiễu",
    "schedule, no noise injected": "định thời, không thêm nhiễu",
    "variance, narrow axis / the posterior's": "phương sai, trục hẹp / của hậu nghiệm",
    "$W_2$ from the posterior, in its standard deviations": (
        "$W_2$ đến hậu nghiệm, theo độ lệch chuẩn của nó"
    ),
    "exact prediction of the chains": "dự đoán chính xác cho các chuỗi",
    "yes, p": "có, p",
    "no, p": "không, p",
    "in standard errors: {} above the exact, {} above 1": (
        "tính bằng sai số chuẩn: {} so với giá trị chính xác, {} so với 1"
    ),
    "exact standard deviations: narrow axis {}, wide axis {}": (
        "độ lệch chuẩn chính xác: trục hẹp {}, trục rộng {}"
    ),
    "spacing of float64 numbers of the former's size: {}": (
        "khoảng cách giữa hai số float64 liền nhau cỡ số thứ nhất: {}"
    ),
}

#: Translated only where it is the whole text, for elsewhere it may be part of a name or mean
#: something else.
ALONE: Mapping[str, str] = {
    # Headers of several tables.
    "section": "mục",
    "experiment": "thí nghiệm",
    "runs": "số lần chạy",
    "share": "tỷ lệ",
    "difference": "hiệu",
    "compared": "so sánh",
    "pairs": "số cặp",
    "adjusted p": "p đã hiệu chỉnh",
    "verdict": "kết luận",
    "step": "bước",
    "update": "bước cập nhật",
    "never": "không bao giờ",
    "train loss now": "mất mát huấn luyện, vừa chạy",
    "test acc now": "độ chính xác kiểm tra, vừa chạy",
    "stored": "đã lưu",
    # The chapter.
    "published": "số in trong sách",
    "ours": "số của ta",
    "remark": "ghi chú",
    "number": "đại lượng",
    "outcome": "kết cục",
    "mean or share": "trung bình hoặc tỷ lệ",
    "interval": "khoảng",
    "width": "bề rộng",
    "margin": "bề rộng tối đa",
    "schedule": "bộ định thời",
    "order": "thứ tự",
    "at first": "lúc đầu",
    "after {} epoch": "sau {} epoch",
    "after {} epochs": "sau {} epoch",
    "closed form": "dạng đóng",
    "MXNet's": "của MXNet",
    "class from": "lớp của",
    "plotted at {}": "đã vẽ ở {}",
    "fed {}": "đưa vào {}",
    "builds": "bản dựng",
    "weights and split": "trọng số và phép chia",
    "left by both": "còn lại sau cả hai",
    "by the split alone": "sau riêng phép chia",
    "by the weights alone": "sau riêng trọng số",
    "by neither": "không bằng thứ nào",
    # Which schedule.
    "good peaks": "các đỉnh tốt",
    "more": "nhiều hơn",
    "accuracy is": "kết luận về độ chính xác",
    "adjusted p of collapses": "p của sụp đổ, đã hiệu chỉnh",
    "collapses are": "kết luận về sụp đổ",
    "accuracy on the held-out pictures after the last epoch": (
        "độ chính xác trên tập kiểm định sau epoch cuối"
    ),
    "a network": "một mạng",
    "median, lost ones as 0": "trung vị, mạng hỏng tính là 0",
    "chosen": "được chọn",
    "lost: collapsed or not finite": "hỏng: sụp đổ hoặc không hữu hạn",
    "suggested by the range test": "gợi ý của phép thử dải tốc độ học",
    "loss of a batch": "mất mát của một minibatch",
    "a seed's batches": "các minibatch của một hạt giống",
    "smoothed": "đã làm trơn",
    "begins to fall": "bắt đầu giảm",
    "lowest": "thấp nhất",
    "turns up again": "tăng trở lại",
    "collapsed, or not finite": "sụp đổ, hoặc mất mát không hữu hạn",
    "suggested": "tốc độ học được gợi ý",
    # Clipping.
    "clipped": "gọt",
    "as it is": "để nguyên",
    "by norm": "theo chuẩn",
    "by value": "theo giá trị",
    "norm": "chuẩn",
    "angle": "góc",
    "no": "không",
    "at {}": "ở {}",
    "gradient norm at the start": "chuẩn gradient lúc xuất phát",
    "norm applied in the first step": "chuẩn được áp dụng ở bước đầu",
    "largest gradient norm after the start": "chuẩn gradient lớn nhất sau lúc xuất phát",
    "settled at step": "lắng xuống từ bước",
    "start": "xuất phát",
    "largest norm": "chuẩn lớn nhất",
    "threshold by the rule": "ngưỡng theo quy tắc",
    "updates clipped": "tỷ lệ bước bị gọt",
    "step kept": "phần còn lại của bước",
    "skipped": "số bước bị bỏ",
    "arm": "cách",
    "measure": "đại lượng",
    "definition": "định nghĩa",
    "better": "tốt hơn khi",
    "higher": "cao hơn",
    "lower": "thấp hơn",
    "survival": "sống sót",
    "survived": "sống sót",
    "roughness": "độ gồ ghề",
    "epochs to {}": "số epoch để đạt {}",
    "overfitting": "độ quá khớp",
    "least": "nhỏ nhất",
    "a quarter below": "một phần tư nằm dưới",
    "median": "trung vị",
    "a quarter above": "một phần tư nằm trên",
    "most": "lớn nhất",
    "paper: stability": "bài báo: ổn định",
    "paper: convergence": "bài báo: hội tụ",
    "paper: effectiveness": "bài báo: hiệu quả",
    "low (Thấp)": "Thấp",
    "poor (Kém)": "Kém",
    "medium (Trung bình)": "Trung bình",
    "good (Tốt)": "Tốt",
    "very good (Rất tốt)": "Rất tốt",
    "high (Cao)": "Cao",
    "claim": "khẳng định",
    "stability: neither low, clipping medium": "ổn định: neither thấp, clipping trung bình",
    "stability: clipping medium, scheduler good": "ổn định: clipping trung bình, scheduler tốt",
    "stability: scheduler good, both very good": "ổn định: scheduler tốt, both rất tốt",
    "convergence: neither poor, clipping medium": "hội tụ: neither kém, clipping trung bình",
    "convergence: clipping medium, scheduler good": "hội tụ: clipping trung bình, scheduler tốt",
    "convergence: scheduler good, both high": "hội tụ: scheduler tốt, both cao",
    "effectiveness: neither medium, clipping good": "hiệu quả: neither trung bình, clipping tốt",
    "effectiveness: scheduler good, both very good": "hiệu quả: scheduler tốt, both rất tốt",
    "a scheduler avoids overfitting": "bộ định thời tránh được quá khớp",
    "a scheduler smooths the learning curve": "bộ định thời làm đường cong học mượt hơn",
    "late in training a scheduler lessens oscillation": (
        "giai đoạn cuối, bộ định thời làm giảm dao động"
    ),
    "both together are most effective": "dùng cả hai thì hiệu quả nhất",
    "clipping does more than a constant rate lower by as much": (
        "gọt làm được nhiều hơn là hạ tốc độ học cố định xuống bấy nhiêu"
    ),
    "without": "không có biện pháp",
    "with": "có biện pháp",
    "after epoch": "sau epoch",
    "collapsed without": "sụp đổ khi không có",
    "collapsed with": "sụp đổ khi có",
    "1 if after its last epoch the run is neither collapsed nor non-finite (it may have been "
    "collapsed and recovered), else 0; all others are of runs that survived": (
        "bằng 1 nếu sau epoch cuối mạng không sụp đổ và mọi giá trị vẫn hữu hạn (trước đó có "
        "thể đã sụp đổ rồi hồi phục), ngược lại bằng 0; mọi đại lượng khác chỉ tính trên những "
        "lần sống sót"
    ),
    "sum of all rises of the mean training loss (nats) from one window of {} batches to the "
    "next, over the whole run": (
        "tổng mọi mức tăng của mất mát huấn luyện trung bình (nat) từ một đoạn {} minibatch sang "
        "đoạn liền sau, trong cả lần chạy"
    ),
    "standard deviation of the test accuracies after the last {} epochs": (
        "độ lệch chuẩn của độ chính xác kiểm tra qua {} epoch cuối"
    ),
    "first epoch after which the test accuracy is at least {}; one more than the run's epochs "
    "if none is": (
        "số thứ tự của epoch đầu tiên mà khi nó kết thúc, độ chính xác kiểm tra đạt ít nhất {}; "
        "nếu không đạt thì lấy "
        "tổng số epoch cộng một"
    ),
    "training loss (nats) of the last epoch": "mất mát huấn luyện (nat) ở epoch cuối",
    "share of the test images classified rightly after the last epoch": (
        "tỷ lệ ảnh kiểm tra được phân loại đúng sau epoch cuối"
    ),
    "training accuracy, averaged while the last epoch trained, minus the test accuracy after "
    "it, so that it may be below 0": (
        "độ chính xác huấn luyện, lấy trung bình trong lúc chạy epoch cuối, trừ độ chính xác "
        "kiểm tra sau epoch ấy, nên có thể nhỏ hơn 0"
    ),
    # The exercises.
    "best run": "lần tốt nhất",
    "exponent": "số mũ",
    "share of the run below a tenth": "phần thời gian ở dưới một phần mười",
    "sum of the rates, constant = 1": "tổng các tốc độ học, cố định = 1",
    "peak": "đỉnh",
    "warmup": "khởi động",
    "the last rates before (update)": "tốc độ học ngay trước đó (bước cập nhật)",
    # Sampling.
    "setting": "thiết lập",
    "posterior": "hậu nghiệm",
    "variance, narrow (exact)": "phương sai, trục hẹp (chính xác)",
    "variance, wide (exact)": "phương sai, trục rộng (chính xác)",
    "mean off by (exact)": "kỳ vọng lệch (chính xác)",
    "W2 (exact)": "W2 (chính xác)",
    "near from update": "gần từ bước cập nhật",
    "far": "lạc xa",
    "agrees with the prediction": "khớp với dự đoán",
    "agrees with the posterior": "khớp với hậu nghiệm",
    "weights": "trọng số",
    "weighted": "theo bước",
    "plain": "đều nhau",
    "square, narrow (exact)": "bình phương, trục hẹp (chính xác)",
    "square, wide (exact)": "bình phương, trục rộng (chính xác)",
    "one chain's error: mean": "sai số của một chuỗi: vị trí",
    "square": "sai số của một chuỗi: bình phương",
    "Of {} independent chains a setting the mean has a standard error of {} posterior standard "
    "deviations and a variance one of {}; as many draws from the posterior itself have a W2 of "
    "about {}. A setting agrees with the prediction unless one of its means and variances, at "
    "any recorded update, or of its time averages differs at {} over all {} tests "
    "(Bonferroni); with the posterior, unless one at the last update does over all {}. "
    "Agreement means no difference that so many chains show.": (
        "Với {} chuỗi độc lập ở mỗi thiết lập, kỳ vọng có sai số chuẩn {} độ lệch chuẩn của hậu "
        "nghiệm, phương sai có sai số chuẩn {}; chừng ấy mẫu lấy thẳng từ hậu nghiệm thì có W2 "
        "khoảng {}. Một thiết lập khớp với dự đoán, trừ khi có ít nhất một giá trị (kỳ vọng hay "
        "phương sai ở một bước đã ghi, hoặc trung bình dọc đường, xem phần sau) khác với dự đoán, "
        "ở mức {} sau khi hiệu chỉnh cho cả {} phép kiểm định (Bonferroni); khớp với hậu nghiệm, "
        "trừ khi ở bước cuối có một giá trị khác, sau khi hiệu chỉnh cho cả {} phép. "
        "Khớp nghĩa là chừng ấy chuỗi không cho thấy khác biệt nào."
    ),
}
